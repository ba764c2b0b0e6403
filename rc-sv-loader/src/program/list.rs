//! `--list`: the modules by their notes.

use super::json;
use super::table::align;
use super::{complain, print, FAILED, OK};
use rc_sv_api::Error;
use rc_sv_loader::loader::Listed;
use rc_sv_loader::note::abi_text;
use rc_sv_loader::{Failure, Loader};
use serde::Serialize;

/// Lists all modules; nothing of theirs is run.
pub fn run(loader: &Loader, json: bool) -> Result<u8, Failure> {
    let (modules, errors) = loader.list();
    let objects: Vec<Object<'_>> = modules.iter().map(Object::of).collect();
    print(&match json {
        true => json::text(&objects),
        false => align(&objects.iter().map(row).collect::<Vec<_>>()),
    })?;
    for error in &errors {
        complain(None, error);
    }
    Ok(if errors.is_empty() { OK } else { FAILED })
}

/// Name, ABI, usable or why not, path, capabilities.
fn row(module: &Object<'_>) -> [String; 5] {
    [
        module.name.to_string(),
        module
            .abi
            .as_ref()
            .map(|abi| format!("ABI {abi}"))
            .unwrap_or_default(),
        if module.usable { "usable" } else { "refused" }.to_string(),
        module.path.clone(),
        module
            .reason
            .clone()
            .unwrap_or_else(|| module.capabilities.join(" ")),
    ]
}

/// A module in JSON.
#[derive(Serialize)]
struct Object<'a> {
    name: &'a str,
    path: String,
    usable: bool,
    reason: Option<String>,
    abi: Option<String>,
    capabilities: Vec<&'static str>,
}

impl Object<'_> {
    fn of(module: &Listed) -> Object<'_> {
        let path = module.path.display().to_string();
        let identity = module.identity.as_ref().ok();
        Object {
            name: &module.name,
            usable: identity.is_some(),
            reason: module
                .identity
                .as_ref()
                .err()
                .map(|error| reason(error, &path)),
            abi: identity.map(|identity| abi_text(identity.abi)),
            capabilities: identity
                .map(|it| it.caps.names().collect())
                .unwrap_or_default(),
            path,
        }
    }
}

/// The reason without the path, which has a column of its own.
fn reason(error: &Error, path: &str) -> String {
    let prefix = format!("{path}: ");
    error
        .message
        .strip_prefix(&prefix)
        .unwrap_or(&error.message)
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rc_sv_api::abi::note::Identity;
    use rc_sv_api::Caps;

    fn listed(identity: rc_sv_api::Result<Identity>) -> Listed {
        Listed {
            name: "s6".into(),
            path: "/lib/librc_sv_s6.so".into(),
            identity,
        }
    }

    #[test]
    fn usable_and_refused_modules() {
        let (name, sizes) = ("s6".to_string(), 256);
        let caps = Caps::OWNS_PROCESS | Caps::RESTARTS;
        let identity = Identity {
            name,
            abi: 0x1_0000,
            status_size: sizes,
            error_size: sizes,
            caps,
        };
        let modules = [
            listed(Ok(identity)),
            listed(Err(Error::invalid(
                "/lib/librc_sv_s6.so: is no regular file",
            ))),
        ];
        let objects: Vec<_> = modules.iter().map(Object::of).collect();
        let rows: Vec<_> = objects.iter().map(row).collect();
        assert_eq!(
            align(&rows),
            "s6  ABI 1.0  usable   /lib/librc_sv_s6.so  owns-process restarts\n\
             s6  -        refused  /lib/librc_sv_s6.so  is no regular file\n"
        );
        assert_eq!(
            json::text(&objects[1]),
            "{\"name\":\"s6\",\"path\":\"/lib/librc_sv_s6.so\",\"usable\":false,\
             \"reason\":\"is no regular file\",\"abi\":null,\"capabilities\":[]}\n"
        );
    }
}
