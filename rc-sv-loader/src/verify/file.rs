//! What can be said of a module's file without running it.

use super::report::{doubtful, wrong, Finding, Objection, Report};
use crate::note;
use crate::search::{Directories, Found};
use object::elf::{FileHeader32, FileHeader64, STB_LOCAL, STT_SECTION};
use object::read::elf::{FileHeader, Sym};
use object::{Endianness, ReadCache, ReadRef};
use rc_sv_api::abi::ENTRY;
use rc_sv_api::Error;
use std::fs::File;
use std::path::{Path, PathBuf};

/// Makes these checks; whether the file may be loaded.
pub(super) fn check(path: &Path, report: &mut Report) -> bool {
    let found = match find(path) {
        Ok((found, doubt)) => {
            let text = "its name, its owner and its mode are right";
            report.add(
                "file",
                doubt.map_or(Ok(text.into()), |why| Err(doubtful(why))),
            );
            found
        }
        Err(objection) => return report.add("file", Err(objection)),
    };
    let identity = note::read(&found.file, &found.name);
    let read = identity.is_ok();
    let noted = identity.map(|identity| {
        let abi = note::abi_text(identity.abi);
        format!("{} for ABI {abi}", identity.name)
    });
    report.add("note", noted.map_err(wrong));
    if !read {
        return false;
    }
    report.add("exports", exports(&found.file));
    // Without an entry the load will say so; with more symbols than one it works here.
    true
}

/// Opens the file as a host would. What root would refuse is only doubtful for others: whoever
/// builds a module verifies it where he builds it.
pub(super) fn find(path: &Path) -> Result<(Found, Option<String>), Objection> {
    let (directory, name) = split(path)?;
    std::fs::metadata(path).map_err(|error| Error::io(path.display(), &error))?;
    match Directories::only(vec![directory]).find(&name) {
        Ok(found) => Ok((found, None)),
        Err(error) if nix::unistd::geteuid().is_root() => Err(error.into()),
        Err(error) => match File::open(path) {
            Ok(file) if file.metadata().is_ok_and(|facts| facts.is_file()) => {
                let found = Found {
                    name,
                    path: path.to_path_buf(),
                    file,
                };
                Ok((found, Some(error.message)))
            }
            _ => Err(error.into()),
        },
    }
}

/// The directory of a module's file and the name of the module.
fn split(path: &Path) -> Result<(PathBuf, String), Objection> {
    let shown = path.display();
    let Some(file_name) = path.file_name().and_then(|name| name.to_str()) else {
        return Err(wrong(format!("{shown}: must be a file librc_sv_NAME.so")));
    };
    let name = file_name
        .strip_prefix("librc_sv_")
        .and_then(|rest| rest.strip_suffix(".so"))
        .filter(|name| rc_sv_api::name::is_module_name(name.as_bytes()));
    let Some(name) = name else {
        return Err(wrong(format!(
            "{shown}: must be called librc_sv_NAME.so, NAME of 1 to 32 letters, digits, dashes \
             and underscores"
        )));
    };
    let absolute = std::path::absolute(path).map_err(|error| Error::io(shown, &error))?;
    let directory = absolute.parent().unwrap_or(Path::new("/"));
    Ok((directory.to_path_buf(), name.to_string()))
}

/// Whether the entry is the only symbol that others can see.
fn exports(file: &File) -> Finding {
    let cache = ReadCache::new(file);
    let names = match cfg!(target_pointer_width = "64") {
        true => defined::<FileHeader64<Endianness>>(&cache),
        false => defined::<FileHeader32<Endianness>>(&cache),
    };
    let names = names.map_err(|error| wrong(format!("its symbols cannot be read: {error}")))?;
    let others: Vec<&str> = names
        .iter()
        .map(String::as_str)
        .filter(|name| *name != ENTRY)
        .collect();
    if names.len() == others.len() {
        return Err(wrong(format!(
            "exports no {ENTRY}; define it with RC_SV_EXPORT, in C++ as extern \"C\""
        )));
    }
    match others.first() {
        None => Ok(format!("{ENTRY} and nothing else")),
        Some(other) => Err(wrong(format!(
            "exports {} more symbols, such as {other}, which may clash with those of hosts and \
             other modules; use -fvisibility=hidden and RC_SV_EXPORT",
            others.len()
        ))),
    }
}

/// The names of all dynamic symbols that the file defines for others.
fn defined<'data, Elf: FileHeader<Endian = Endianness>>(
    data: impl ReadRef<'data>,
) -> object::Result<Vec<String>> {
    let header = Elf::parse(data)?;
    let endian = header.endian()?;
    let sections = header.sections(endian, data)?;
    let symbols = sections.symbols(endian, data, object::elf::SHT_DYNSYM)?;
    let mut names = Vec::new();
    for symbol in symbols.iter() {
        let inner = symbol.st_type() == STT_SECTION || symbol.st_bind() == STB_LOCAL;
        if !inner && !symbol.is_undefined(endian) {
            let name = symbols.symbol_name(endian, symbol)?;
            names.push(String::from_utf8_lossy(name).into_owned());
        }
    }
    Ok(names)
}
