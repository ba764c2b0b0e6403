//! What each module does, and how: man/rc-sv-modules.7 and the table of README.md are made from
//! what the modules say, by which they also refuse.

#[path = "support/modules.rs"]
mod modules;

use modules::{Module, MODULES, WATCHERS};
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
.TP
.B OpenRC
OpenRC's own start and stop do it, and the module does nothing about it.
.TP
.B no
It cannot be done or known, and no setting asks for it.
.PP
A service directory that was written by hand decides most of this itself, see
.BR rc\-sv (5).
Settings on which OpenRC's scripts act are not listed: they mean the same everywhere.
"#;

const MONIT: &str = r"OpenRC starts and stops the service itself, and monit watches it in between.
The columns are the values of
.IR rc_monit_type :
with
.BR simple
the control file is made from the settings, with
.BR file
it is given, and with
.BR native
monit has the check in its own.
.PP
OpenRC's own start acts upon the settings that its version knows.
What is emulated
.BR rc\-sv\-exec (8)
.B respawn
does too when the service is run again: monit executes that, as a control file that is given has to
say.
With
.B native
monit's own start program runs it again, in its own way.
.PP
Nobody is the parent of what OpenRC has started, so it is not seen how it ended.
monit sends no signals, and a script may have a reload of its own.
.PP
A start does not fail because monit does not run or does not answer: it watches as soon as it does.
It fails over what would end monit, alone or beside all that it reads already: a control file that is
wrong, an include directory that is included twice, two services whose names differ in case alone.
";

const TAIL: &str =
    ".SH SEE ALSO\n.BR rc\\-sv (5),\n.BR rc\\-sv\\-exec (8),\n.BR rc\\-sv\\-loader (8)\n";

fn settings(group: Group) -> impl Iterator<Item = &'static Key> {
    key::all().filter(move |key| key.group == group && key.role == Role::Setting)
}

/// What heads the column of a module.
fn heading(module: &Module) -> &'static str {
    module.kind.unwrap_or(module.name)
}

fn row(text: &mut String, modules: &[Module], name: &str, cell: impl Fn(&Module) -> Support) {
    let cells = modules.iter().map(|module| cell(module).text());
    let cells: Vec<_> = cells.map(|cell| cell.replace('-', "\\-")).collect();
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{name}\t{}", cells.join("\t"));
}

fn table(text: &mut String, modules: &[Module], title: &str, rows: impl FnOnce(&mut String)) {
    let names = modules.iter().map(heading).collect::<Vec<_>>().join("\t");
    let bold = " lB2".repeat(modules.len() - 1);
    let plain = " l2".repeat(modules.len() - 1);
    let _ = write!(
        text,
        ".SS {title}\n.TS\nlB2{bold} lB\nl2{plain} l.\n\t{names}\n"
    );
    rows(text);
    text.push_str(".TE\n");
}

fn deeds(text: &mut String, modules: &[Module], title: &str) {
    table(text, modules, title, |text| {
        for deed in Deed::ALL {
            row(text, modules, deed.text(), |module| (module.of_deed)(deed));
        }
    });
}

fn groups(text: &mut String, modules: &[Module], of: &str) {
    for group in Group::ALL {
        if settings(group).next().is_some() {
            table(
                text,
                modules,
                &format!("{of}{}", group.headline()),
                |text| {
                    for key in settings(group) {
                        row(text, modules, key.name, |module| (module.of_setting)(key));
                    }
                },
            );
        }
    }
}

fn page() -> String {
    let mut text = HEAD.to_owned();
    text.push_str(".SH WITHOUT A SETTING\n");
    deeds(&mut text, &MODULES, "What is done for every service");
    text.push_str(".SH SETTINGS\n");
    groups(&mut text, &MODULES, "");
    text.push_str(".SH MONIT\n");
    text.push_str(MONIT);
    deeds(
        &mut text,
        &WATCHERS,
        "monit: what is done for every service",
    );
    groups(&mut text, &WATCHERS, "monit: ");
    text + TAIL
}

/// More than these are counted, not named.
const MANY: usize = 4;

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
    let is_openrcs = !of(|it| it == Support::OpenRc).is_empty();
    let done = match (native.len(), emulated.len()) {
        (0, 0) if is_openrcs => "OpenRC",
        (0, 0) => return if refused.is_empty() { "-" } else { "refused" }.into(),
        (0, _) if is_openrcs => "OpenRC and emulated",
        (_, 0) => "native",
        (0, _) => "emulated",
        _ => "native and emulated",
    };
    match refused.len() {
        0 => done.into(),
        1..=MANY => format!("{done}; refused: {}", refused.join(", ")),
        many => format!("{done}; {many} of {} refused", settings(group).count()),
    }
}

fn rows(modules: &[Module]) -> String {
    let names: Vec<_> = modules.iter().map(title).collect();
    let line = "|---".repeat(modules.len() + 1);
    let mut text = format!("| | {} |\n{line}|\n", names.join(" | "));
    for group in Group::ALL {
        if settings(group).next().is_some() {
            let cells: Vec<_> = modules.iter().map(|it| summary(it, group)).collect();
            let _ = writeln!(text, "| {} | {} |", group.headline(), cells.join(" | "));
        }
    }
    for deed in Deed::ALL {
        let cells = modules.iter().map(|module| (module.of_deed)(deed).text());
        let cells: Vec<_> = cells.collect();
        let _ = writeln!(text, "| {} | {} |", deed.text(), cells.join(" | "));
    }
    text
}

fn title(module: &Module) -> String {
    let kind = module.kind.map(|kind| format!(", {kind}"));
    format!("{}{}", module.name, kind.unwrap_or_default())
}

fn overview() -> String {
    format!("{}\n{}", rows(&MODULES), rows(&WATCHERS))
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

/// Who only watches has nothing started by supervise-daemon.
const OTHER_TOOLS: &str = "supervise_daemon_args";

/// Whoever is refused is told what to do, and no module is without any setting.
#[test]
fn each_module_does_or_refuses_each_setting() {
    for module in MODULES.into_iter().chain(WATCHERS) {
        let ours = key::all().filter(|key| key.role == Role::Setting);
        let mut done = 0;
        for key in ours {
            match (module.of_setting)(key) {
                Support::Native | Support::Emulated | Support::OpenRc => done += 1,
                Support::Refused(instead) => {
                    assert!(
                        instead.contains("set"),
                        "{} {}: {instead}",
                        module.name,
                        key.name
                    );
                }
                Support::Foreign => {
                    let is_of_another = key.group == Group::Suite || key.name == OTHER_TOOLS;
                    assert!(is_of_another, "{} {}", module.name, key.name);
                }
                Support::Lacking => panic!("{} {}: is asked for", module.name, key.name),
            }
        }
        let least = if module.kind == Some("native") {
            20
        } else {
            30
        };
        assert!(done > least, "{}: {done}", module.name);
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
    // What it can do at all, monit does with a control file from the settings.
    for module in MODULES.into_iter().chain([WATCHERS[0]]) {
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
