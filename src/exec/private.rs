//! Files and directories in the state directory: for the user alone, and never what stands in the place of one.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// Makes a directory and those that lead to it, each with mode 0700. One that is there stays as it is.
pub(super) fn make_directory(directory: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)
}

/// Opens a file, with mode 0600 if that makes it. A link, a pipe or a device in its place is refused: what is behind a link
/// may be anything of the user's, and a pipe has whoever opens it wait for its other end.
pub(super) fn open(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    match open_at_once(options, path) {
        Ok(file) if file.metadata()?.is_file() => Ok(file),
        Ok(_) => Err(something_else()),
        Err(error) => Err(error),
    }
}

/// The same for what is only written to, which may be a device: nobody has to wait for one that takes what it is given.
pub(super) fn open_at_once(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(options, libc::O_NOFOLLOW | libc::O_NONBLOCK);
    options.open(path).map_err(|error| match std::fs::symlink_metadata(path) {
        Ok(there) if !there.is_file() => something_else(),
        Ok(_) | Err(_) => error,
    })
}

fn something_else() -> io::Error {
    io::Error::other("something else stands in the place of the file")
}

/// Makes a file that holds this, and nothing else.
pub(super) fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    open(OpenOptions::new().write(true).create(true).truncate(true), path)?.write_all(content)
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::process::Command;

    use super::*;

    #[test]
    fn what_is_made_is_private_and_what_is_no_file_is_refused_at_once() {
        let place = tempfile::tempdir().unwrap();
        let directory = place.path().join("a/b");
        make_directory(&directory).unwrap();
        make_directory(&directory).unwrap();
        let file = directory.join("file");
        open(OpenOptions::new().write(true).create(true), &file).unwrap();
        for (path, mode) in
            [(place.path().join("a"), 0o700), (directory.clone(), 0o700), (file.clone(), 0o600)]
        {
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, mode, "{path:?}");
        }
        let pipe = directory.join("pipe");
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        symlink(&file, directory.join("link")).unwrap();
        symlink("/dev/zero", directory.join("device")).unwrap();
        symlink(directory.join("nowhere"), directory.join("ahead")).unwrap();
        for name in ["pipe", "link", "device", "ahead", "."] {
            for options in [OpenOptions::new().read(true), OpenOptions::new().write(true).create(true)] {
                let refused = open(options, &directory.join(name)).unwrap_err();
                assert_eq!(refused.to_string(), "something else stands in the place of the file", "{name}");
            }
            let refused = open_at_once(OpenOptions::new().write(true), &directory.join(name)).unwrap_err();
            assert_eq!(refused.to_string(), "something else stands in the place of the file", "{name}");
        }
        assert!(!directory.join("nowhere").exists());
        open_at_once(OpenOptions::new().write(true), Path::new("/dev/null")).unwrap();
        let missing = open(OpenOptions::new().read(true), &directory.join("missing")).unwrap_err();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
    }
}
