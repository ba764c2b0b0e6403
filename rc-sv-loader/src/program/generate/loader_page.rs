//! `man/rc-sv-loader.8`, from the command line.

use super::page::Page;
use crate::program::arguments::{Arguments, EXIT_CODES};
use clap::{Arg, Command, CommandFactory};

pub(super) fn text() -> String {
    let mut command = Arguments::command();
    command.build();
    let about = command
        .get_about()
        .map(ToString::to_string)
        .unwrap_or_default();
    let about = about.trim_end_matches('.');
    let mut page = Page::new("rc-sv-loader", "8", &lower(about));
    synopsis(&mut page, &command);
    page.section("DESCRIPTION");
    page.text(
        "*rc-sv-loader* is what OpenRC's scripts call for a service whose variable \
         *rc_supervise_module* names a module. It reads the configuration of the service, captures \
         what surrounds the runscript (environment, limits, priorities, cgroups), finds the module, \
         refuses one that somebody else could have written, and hands everything over. People use \
         it to see what is supervised, and why.",
    );
    page.text(
        "The module that started a service, or watches it, is recorded. All commands but *start* \
         and *attach* use the recorded one, whatever conf.d says by then.",
    );
    options(&mut page, &command);
    commands(&mut page, &command);
    simulation(&mut page);
    verification(&mut page);
    exit_status(&mut page);
    formats(&mut page);
    surroundings(&mut page);
    page.render()
}

fn lower(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map(|first| first.to_lowercase().chain(chars).collect())
        .unwrap_or_default()
}

fn visible(command: &Command) -> impl Iterator<Item = &Arg> {
    command.get_arguments().filter(|arg| !arg.is_hide_set())
}

fn synopsis(page: &mut Page, command: &Command) {
    page.section("SYNOPSIS");
    page.text("*rc-sv-loader --list* [*--json*]");
    page.text("*rc-sv-loader --verify* FILE [*--json*]");
    page.text("*rc-sv-loader --describe* MODULE");
    for sub in command.get_subcommands() {
        page.text(format!("*rc-sv-loader {}*{}", sub.get_name(), usage(sub)));
    }
}

/// The arguments of a subcommand: ` SERVICE [--module NAME] [-- ARGV...]`.
fn usage(command: &Command) -> String {
    let mut text = String::new();
    let required = visible(command).filter(|arg| arg.is_positional() && arg.is_required_set());
    let others = visible(command).filter(|arg| !arg.is_required_set() && arg.get_id() != "help");
    for arg in required {
        text.push_str(&format!(" {}", value(arg)));
    }
    for arg in others {
        let takes_value = arg.get_num_args().is_some_and(|range| range.takes_values());
        text.push_str(&match arg.get_long() {
            Some(long) if takes_value => format!(" [*--{long}* {}]", value(arg)),
            Some(long) => format!(" [*--{long}*]"),
            None if arg.is_last_set() => format!(" [*--* {}...]", value(arg)),
            None => format!(" [{}]", value(arg)),
        });
    }
    text
}

fn value(arg: &Arg) -> String {
    let name = arg.get_value_names().and_then(|names| names.first());
    name.map(ToString::to_string)
        .unwrap_or_else(|| arg.get_id().to_string().to_uppercase())
}

fn options(page: &mut Page, command: &Command) {
    page.section("OPTIONS");
    for arg in visible(command).filter(|arg| !arg.is_positional()) {
        let takes_value = arg.get_num_args().is_some_and(|range| range.takes_values());
        let mut term = arg
            .get_short()
            .map(|short| format!("-{short}, "))
            .unwrap_or_default();
        term.push_str(
            &arg.get_long()
                .map(|long| format!("--{long}"))
                .unwrap_or_default(),
        );
        if takes_value {
            term.push_str(&format!(" {}", value(arg)));
        }
        page.term(&term, &help(arg));
    }
}

fn help(arg: &Arg) -> String {
    arg.get_help()
        .map(|help| sentence(&help.to_string()))
        .unwrap_or_default()
}

/// Help texts lose their full stop on the way through clap.
fn sentence(text: &str) -> String {
    format!("{}.", text.trim_end_matches('.'))
}

fn commands(page: &mut Page, command: &Command) {
    page.section("COMMANDS");
    for sub in command.get_subcommands() {
        let about = sub.get_long_about().or_else(|| sub.get_about());
        let about = about
            .map(|about| paragraph(&about.to_string()))
            .unwrap_or_default();
        page.term(
            &format!("{}{}", sub.get_name(), usage(sub).replace('*', "")),
            &about,
        );
        for arg in visible(sub).filter(|arg| !matches!(arg.get_id().as_str(), "help" | "service")) {
            page.more(&format!("*{}*: {}", label(arg), help(arg)));
        }
    }
}

/// One paragraph of several.
fn paragraph(text: &str) -> String {
    sentence(&text.split_whitespace().collect::<Vec<_>>().join(" "))
}

fn label(arg: &Arg) -> String {
    arg.get_long()
        .map(|long| format!("--{long}"))
        .unwrap_or_else(|| value(arg))
}

fn simulation(page: &mut Page) {
    page.section("SIMULATION");
    page.text(
        "*check --simulate* WORDS lets the state machine of the module decide about a service that \
         does as the words say, with a clock that needs no time. The module *internal* can do so. \
         Each line begins with the seconds since the start; what goes on for longer than a day is \
         cut short. The words are phrases, separated by commas; times are written as in *rc-sv*(5):",
    );
    for (phrase, meaning) in [
        (
            "exit CODE after TIME",
            "Each time that it is run it exits, so long after.",
        ),
        (
            "signal NAME after TIME",
            "The same by a signal, such as SEGV.",
        ),
        (
            "never ready",
            "It does not become ready. Without this it is at once.",
        ),
        (
            "ready after TIME",
            "It becomes ready so long after it was run.",
        ),
        (
            "unhealthy after TIME",
            "So long after it was run its health checks begin to fail.",
        ),
        (
            "silent after TIME",
            "So long after it was run it begins to miss its watchdog.",
        ),
        ("stubborn", "It ends by KILL alone."),
        (
            "stop after TIME",
            "Somebody stops the service so long after its first start.",
        ),
    ] {
        page.term(phrase, meaning);
    }
    page.text(
        "What nothing would notice is refused: readiness that nothing shows, health without a \
         check, silence without a watchdog.",
    );
    page.text("*rc-sv-loader check web --simulate 'exit 3 after 5s, stop after 1m'*");
}

fn verification(page: &mut Page) {
    page.section("VERIFICATION");
    page.text(
        "*--verify* makes one line for each check: *ok*; *FAIL*, with what is wrong and what would \
         be right; *warn*, for what works here but not everywhere; *skip*, with the reason why it \
         could not be run. The last line counts them. First the file is looked at: name, owner and \
         mode, note, exported symbols. Then the module is loaded into a process of its own, with a \
         state directory of its own, so that one that crashes, exits or hangs is named and harms \
         nobody. Its table, its capabilities, and every answer must be as the ABI has it. A module \
         that owns processes has to start, restart, signal, lose and stop a scratch service; one \
         that watches has to attach and detach it.",
    );
    page.text(
        "The scratch service is called *rc-sv-verify-*PID. A module whose supervisor serves the whole \
         system gets it there, and is asked to forget it at the end. A module whose supervisor is \
         not there is verified without its behaviour: *skip*, exit status 77. For other users than \
         root, wrong owners and modes are only *warn*: a module is verified where it is built.",
    );
}

fn exit_status(page: &mut Page) {
    page.section("EXIT STATUS");
    for line in EXIT_CODES.lines().skip(1) {
        if let Some((code, meaning)) = line.trim().split_once(' ') {
            page.term(code, meaning.trim());
        }
    }
}

fn formats(page: &mut Page) {
    page.section("STATUS");
    page.text(
        "*status* prints one line for each service: its name, its state, the pid of its main \
         process, how long it has had that state, how often it was respawned, and what the module \
         adds. Of one service alone that has died, the last lines of its output follow, where they \
         are kept (rc_supervise_log_buffer). States are *up*, *starting*, *stopping*, *down*, *waiting* (dead, a respawn is \
         scheduled), *gave-up* (failed too often, or for good), *paused*; and what they mean for a \
         service that was started: *crashed* (dead, and nobody brings it back), *unsupervised* (it \
         runs, and nobody looks after it) and *stopped* (no module has started it).",
    );
    page.text(
        "With *--json* it prints an object, or an array of objects, with these members; what a \
         module cannot tell is null.",
    );
    for (member, meaning) in [
        ("name, module", "The service, and the module that started it."),
        ("standing", "One of up, starting, stopping, stopped, crashed, unsupervised: what the exit code tells."),
        ("state", "The module's word: unknown, unmanaged, down, starting, up, stopping, waiting, gave-up, paused."),
        ("pid, supervisor_pid", "The main process, and the process that waits on it."),
        ("since, lasted_ms", "When the state began, as RFC 3339 in UTC; how long ago that was, by a clock that nobody sets where the module has one."),
        ("restarts, failures", "Respawns since the module took the service; those since it was last up for long."),
        ("last_exit", "How the main process ended last: kind (code, signal, dumped, not-run, unknown), value, and text for people."),
        ("next_restart_ms", "Time until the scheduled respawn."),
        ("wanted_up, ready, healthy", "Whether it is wanted up, said that it is ready, passes its health checks."),
        ("detail", "One line for people; may be empty. It tells also of limits that have no effect on this host."),
    ] {
        page.term(member, meaning);
    }
    page.text(
        "*--list --json* prints an array of objects with the members *name*, *path*, *usable*, \
         *reason* (why not), *abi* and *capabilities*. *--verify --json* prints an object with the \
         members *file*, *result* and *checks*, an array of objects with *name*, *result* and *text*; \
         results are *ok*, *FAIL*, *warn* and *skip*.",
    );
}

fn surroundings(page: &mut Page) {
    page.section("ENVIRONMENT");
    page.term(
        "RCSV_NAME",
        "For *start* and *attach*: the variable NAME of conf.d or of the runscript. Unknown names are errors.",
    );
    page.term(
        "RC_SVCDIR",
        "The state directory of OpenRC; /run/openrc when unset. For a user's own services it is \
         $XDG_RUNTIME_DIR/openrc; OpenRC sets it so for their scripts.",
    );
    page.term(
        "RC_SV_PATH",
        "Directories with modules, separated by colons, that go before the installed ones. Their \
         files must belong to root or to the caller. Ignored in a program that has more rights \
         than its caller.",
    );
    page.term(
        "SSD_NICELEVEL, SSD_IONICELEVEL, SSD_OOM_SCORE_ADJ",
        "Priorities of the daemon, as supervise-daemon(8) reads them; the settings \
         rc_supervise_nice, rc_supervise_ionice and rc_supervise_oom_score_adj go before them.",
    );
    page.section("FILES");
    page.term(
        "/usr/lib/rc-sv/librc_sv_NAME.so, /usr/local/lib/rc-sv/librc_sv_NAME.so",
        "Modules: below the prefix of the installation, then those that an administrator \
         installed. File and directory must belong to root and be writable by nobody else.",
    );
    page.term(
        "/etc/rc-sv.toml, /etc/rc-sv.d/SERVICE.toml",
        "The configuration; see rc-sv(5).",
    );
    page.term(
        "/run/openrc/rc-sv/SERVICE/module",
        "The module that started the service, or, with the word attached, watches it. Only root reads \
         it; for everybody there is a symbolic link to its name, /run/openrc/rc-sv/.modules/SERVICE.",
    );
    page.section("DIAGNOSTICS");
    page.text(
        "Every failure is one line on standard error: *rc-sv-loader: SERVICE: MODULE: what*. \
         Messages of modules also go to the system's log, as those of a daemon.",
    );
    page.section("SEE ALSO");
    page.text("rc-sv(5), rc-sv-supervisor(8), rc-service(8), openrc-run(8), supervise-daemon(8)");
}
