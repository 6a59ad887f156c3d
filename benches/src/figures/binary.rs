//! How large the program is, beside what a server on Node is made of.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use object::{Object, ObjectSection, ObjectSymbol};

use super::World;
use crate::broken;
use crate::table::{Row, Table, number, times};

/// The crate that is listed however small its part is: it is there for the tools that agents are given.
const ASKED: &str = "rmcp";

/// Crates that are listed by themselves.
const LISTED: usize = 12;

const MIB: f64 = 1024.0 * 1024.0;

/// One thing that is on a disk.
struct Size {
    name: &'static str,
    bytes: f64,
}

pub(super) fn measure(world: &World<'_>, table: &mut Table) -> io::Result<()> {
    let release = world.tools.build_with_symbols()?;
    let mut peers = vec![
        Size { name: "`lsp-server` (Rust)", bytes: file(&world.tools.lsp_server())? },
        Size { name: "`tokio-cron-scheduler` (Rust)", bytes: file(&world.tools.tokio_cron_scheduler())? },
    ];
    if let Some(node) = world.tools.node() {
        let package = directory(&node.join("node_modules/vscode-jsonrpc"))?;
        peers.push(Size { name: "`vscode-jsonrpc` (npm), without Node", bytes: package });
        peers.push(Size {
            name: "`vscode-jsonrpc` (npm) with Node",
            bytes: package + file(&program("node")?)?,
        });
    }
    let ours = world.tools.sexton();
    let what = world.effort.of("release build", "as it is shipped");
    let bytes = file(&ours)?;
    for Size { name, bytes: theirs } in peers {
        table.row(Row {
            what: format!("the program on disk, {what}"),
            ours: mib(bytes),
            peer: format!("{name}: {}", mib(theirs)),
            ratio: times(bytes / theirs),
            goal: String::new(),
        });
    }
    let alone =
        [("release build".to_owned(), file(&release)?), (format!("{what}, packed by gzip"), packed(&ours)?)];
    for (what, bytes) in alone {
        table.row(Row {
            what: format!("the program on disk, {what}"),
            ours: mib(bytes),
            peer: String::new(),
            ratio: String::new(),
            goal: String::new(),
        });
    }
    table.detail(detail(&release)?);
    Ok(())
}

fn mib(bytes: f64) -> String {
    format!("{} MiB", number(bytes / MIB))
}

fn file(path: &Path) -> io::Result<f64> {
    Ok(fs::metadata(path)?.len() as f64)
}

/// All files below a directory.
fn directory(path: &Path) -> io::Result<f64> {
    let mut bytes = 0.0;
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        bytes += match entry.file_type()?.is_dir() {
            true => directory(&entry.path())?,
            false => entry.metadata()?.len() as f64,
        };
    }
    Ok(bytes)
}

/// The file behind a command of this machine.
fn program(name: &str) -> io::Result<PathBuf> {
    let told = Command::new(name).args(["--print", "process.execPath"]).output()?;
    Ok(PathBuf::from(String::from_utf8_lossy(&told.stdout).trim()))
}

/// What it is when packed, as packages are.
fn packed(path: &Path) -> io::Result<f64> {
    let told = Command::new("gzip").args(["-9", "-c"]).arg(path).stderr(Stdio::inherit()).output()?;
    match told.status.success() {
        true => Ok(told.stdout.len() as f64),
        false => Err(broken("gzip failed")),
    }
}

/// Which crates the functions of a program are of, in a table of its own.
fn detail(program: &Path) -> io::Result<String> {
    let bytes = fs::read(program)?;
    let read = object::File::parse(&*bytes).map_err(io::Error::other)?;
    let mut crates: BTreeMap<String, f64> = BTreeMap::new();
    let mut named = 0.0;
    for symbol in read.symbols() {
        let name = symbol.name().unwrap_or_default();
        named += symbol.size() as f64;
        *crates.entry(crate_of(name)).or_default() += symbol.size() as f64;
    }
    let mut crates: Vec<(String, f64)> = crates.into_iter().collect();
    crates.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    let asked = crates.iter().position(|(name, _)| name == ASKED);
    let mut text = format!(
        "The release build by the crates that its functions and tables are named after ({}):\n\n\
         | crate | MiB |\n|---|---|\n",
        mib(bytes.len() as f64)
    );
    for (place, (name, size)) in crates.iter().enumerate() {
        if place < LISTED || Some(place) == asked {
            text.push_str(&format!("| {name} | {} |\n", number(size / MIB)));
        }
    }
    let rest = |(place, _): &(usize, &(String, f64))| *place >= LISTED && Some(*place) != asked;
    let others: f64 = crates.iter().enumerate().filter(rest).map(|(_, (_, size))| size).sum();
    text.push_str(&format!("| others | {} |\n", number(others / MIB)));
    let tables: f64 = [".symtab", ".strtab"]
        .into_iter()
        .filter_map(|name| read.section_by_name(name))
        .map(|one| one.size() as f64)
        .sum();
    text.push_str(&format!("| the names themselves, which are not shipped | {} |\n", number(tables / MIB)));
    let rest = bytes.len() as f64 - named - tables;
    text.push_str(&format!(
        "| without a name: constants, time zones, unwinding | {} |\n",
        number(rest / MIB)
    ));
    Ok(text)
}

/// The crate that a symbol names first; of a function of a trait that is the type that has it.
fn crate_of(symbol: &str) -> String {
    let Ok(name) = rustc_demangle::try_demangle(symbol) else { return "SQLite and other C".to_owned() };
    let name = format!("{name:#}");
    let name = name
        .trim_start_matches(['<', '&', '*', '(', '['])
        .trim_start_matches("mut ")
        .trim_start_matches("dyn ");
    let first: String = name.chars().take_while(|one| one.is_alphanumeric() || *one == '_').collect();
    match first.as_str() {
        // What is written for any type, as `Into` is, is the standard library's.
        "core" | "alloc" | "std" | "hashbrown" | "compiler_builtins" | "T" => {
            "the standard library".to_owned()
        }
        _ => first,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_symbol_is_of_the_crate_that_it_names_first() {
        let of = |symbol| crate_of(symbol);
        assert_eq!(of("_ZN4rmcp5model4Tool3new17hc03f12d6db209ed8E"), "rmcp");
        assert_eq!(
            of("_ZN56_$LT$rmcp..model..Tool$u20$as$u20$core..clone..Clone$GT$5clone17hb7518cc28f4d7d17E"),
            "rmcp"
        );
        assert_eq!(of("_ZN4core3ptr8drop_one17hb7518cc28f4d7d17E"), "the standard library");
        assert_eq!(
            of("_ZN50_$LT$T$u20$as$u20$core..convert..Into$LT$U$GT$$GT$4into17hb7518cc28f4d7d17E"),
            "the standard library"
        );
        assert_eq!(of("sqlite3_step"), "SQLite and other C");
    }
}
