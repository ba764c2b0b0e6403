//! What each module does, and how: man/rc-sv-modules.7 and the table of README.md are made from
//! what the modules say, by which they also refuse.

#[path = "support/modules.rs"]
mod modules;

use modules::{Module, MODULES};
use rc_sv_api::key::{self, Group, Key, Role};
use rc_sv_api::{Deed, Support};
use rc_sv_tests::Lab;
use serde_json::Value;
use std::fmt::Write;
use std::fs;
use std::path::Path;

const HEAD: &str = r#"'\" t
.\" Made by make modules\-table; do not edit.
.TH rc\-sv\-modules 7 2026-11-22 "rc-sv 0.1.0" rc-sv
.SH NAME
rc\-sv\-modules \- what each module of rc\-sv does, and how
.SH DESCRIPTION
What a setting means does not depend on the module.
How it is done does:
.TP
.B native
The module's own supervisor does it.
.TP
.B emulated
The supervisor cannot do it, or not with this meaning:
.BR rc\-sv\-exec (8)
does it under the supervisor, or the module from outside.
.TP
.B refused
A start fails with one line that says what to do instead.
The value that holds anyway, where the setting has a default, is not refused.
.TP
.B \-
The setting is for another module and nothing to this one.
.PP
A service directory that was written by hand decides most of this itself, see
.BR rc\-sv (5).
Settings on which OpenRC's scripts act are not listed: they mean the same everywhere.
"#;

const TAIL: &str =
    ".SH SEE ALSO\n.BR rc\\-sv (5),\n.BR rc\\-sv\\-exec (8),\n.BR rc\\-sv\\-loader (8)\n";

fn settings(group: Group) -> impl Iterator<Item = &'static Key> {
    key::all().filter(move |key| key.group == group && key.role == Role::Setting)
}

fn row(text: &mut String, name: &str, cell: impl Fn(&Module) -> Support) {
    let cells = MODULES.map(|module| cell(&module).text().replace('-', "\\-"));
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{name}\t{}", cells.join("\t"));
}

fn table(text: &mut String, title: &str, rows: impl FnOnce(&mut String)) {
    let names = MODULES.map(|module| module.name).join("\t");
    let _ = write!(
        text,
        ".SS {title}\n.TS\nlB2 lB2 lB2 lB2 lB\nl2 l2 l2 l2 l.\n\t{names}\n"
    );
    rows(text);
    text.push_str(".TE\n");
}

fn page() -> String {
    let mut text = HEAD.to_owned();
    text.push_str(".SH WITHOUT A SETTING\n");
    table(&mut text, "What is done for every service", |text| {
        for deed in Deed::ALL {
            row(text, deed.text(), |module| (module.of_deed)(deed));
        }
    });
    text.push_str(".SH SETTINGS\n");
    for group in Group::ALL {
        if settings(group).next().is_some() {
            table(&mut text, group.headline(), |text| {
                for key in settings(group) {
                    row(text, key.name, |module| (module.of_setting)(key));
                }
            });
        }
    }
    text + TAIL
}

/// One cell for a group: the usual word, and what is refused.
fn summary(module: &Module, group: Group) -> String {
    let of = |wanted: fn(Support) -> bool| {
        let names = settings(group).filter(move |key| wanted((module.of_setting)(key)));
        names
            .map(|key| format!("`{}`", key.name))
            .collect::<Vec<_>>()
    };
    let native = of(|it| it == Support::Native);
    let emulated = of(|it| it == Support::Emulated);
    let refused = of(|it| matches!(it, Support::Refused(_)));
    let done = match (native.len(), emulated.len()) {
        (0, 0) => return if refused.is_empty() { "-" } else { "refused" }.into(),
        (_, 0) => "native",
        (0, _) => "emulated",
        _ => "native and emulated",
    };
    if refused.is_empty() {
        return done.into();
    }
    format!("{done}; refused: {}", refused.join(", "))
}

fn overview() -> String {
    let names = MODULES.map(|module| module.name).join(" | ");
    let mut text = format!("| | {names} |\n|---|---|---|---|---|\n");
    for group in Group::ALL {
        if settings(group).next().is_some() {
            let cells = MODULES.map(|module| summary(&module, group)).join(" | ");
            let _ = writeln!(text, "| {} | {cells} |", group.headline());
        }
    }
    for deed in Deed::ALL {
        let cells = MODULES
            .map(|module| (module.of_deed)(deed).text())
            .join(" | ");
        let _ = writeln!(text, "| {} | {cells} |", deed.text());
    }
    text
}

/// The text of README.md with this table.
fn readme(old: &str, table: &str) -> String {
    let (begin, end) = ("<!-- modules -->\n", "<!-- end of modules -->");
    let (before, rest) = old.split_once(begin).expect("where the table begins");
    let (_, after) = rest.split_once(end).expect("where the table ends");
    format!("{before}{begin}{table}{end}{after}")
}

#[test]
fn the_committed_tables_are_the_generated_ones() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let read = |name: &str| fs::read_to_string(top.join(name)).unwrap_or_default();
    let files = [
        ("man/rc-sv-modules.7", page()),
        ("README.md", readme(&read("README.md"), &overview())),
    ];
    for (name, text) in files {
        if std::env::var_os("RC_SV_WRITE_TABLE").is_some() {
            fs::write(top.join(name), &text).expect("writing the table");
        }
        assert!(
            read(name) == text,
            "{name} is out of date: run `make modules-table`"
        );
    }
}

/// Whoever is refused is told what to do, and no module is without any setting.
#[test]
fn each_module_does_or_refuses_each_setting() {
    for module in MODULES {
        let ours = key::all().filter(|key| key.role == Role::Setting);
        let mut done = 0;
        for key in ours {
            match (module.of_setting)(key) {
                Support::Native | Support::Emulated => done += 1,
                Support::Refused(instead) => {
                    assert!(
                        instead.contains("set"),
                        "{} {}: {instead}",
                        module.name,
                        key.name
                    );
                }
                Support::Foreign => {
                    assert_eq!(key.group, Group::Suite, "{} {}", module.name, key.name);
                }
            }
        }
        assert!(done > 30, "{}: {done}", module.name);
    }
}

/// What a module says of itself in its file, and what it says of each setting.
#[test]
fn capabilities_are_what_the_table_says() {
    let settings = [
        ("respawn_max", "give-up"),
        ("rc_supervise_ready", "readiness"),
        ("rc_supervise_health", "health"),
        ("rc_supervise_syslog", "logging"),
        ("rc_supervise_finish", "finish-script"),
        ("rc_supervise_alert", "notify"),
    ];
    let lab = Lab::new();
    let listed = lab.run(["rc-sv-loader", "--list", "--json"]).output().ok();
    let listed: Value = serde_json::from_str(&listed).expect("JSON");
    let all = listed.as_array().expect("an array");
    for module in MODULES {
        let found = all.iter().find(|one| one["name"] == module.name);
        let claimed = &found.expect(module.name)["capabilities"];
        let claims = |cap: &str| {
            let mut words = claimed.as_array().into_iter().flatten();
            words.any(|word| word == cap)
        };
        let does = |support: Support| matches!(support, Support::Native | Support::Emulated);
        for (name, cap) in settings {
            let key = key::find(name).expect(name);
            let done = does((module.of_setting)(key));
            assert_eq!(claims(cap), done, "{} {name} {cap}", module.name);
        }
        for (deed, cap) in [(Deed::Respawn, "restarts"), (Deed::Signal, "signal")] {
            let done = does((module.of_deed)(deed));
            assert_eq!(claims(cap), done, "{} {cap}", module.name);
        }
    }
}
