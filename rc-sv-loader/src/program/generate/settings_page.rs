//! `man/rc-sv.5`, from the registry of settings.

use super::page::Page;
use crate::program::setting;
use rc_sv_api::key::{self, Group, Role};

pub(super) fn text() -> String {
    let mut page = Page::new("rc-sv", "5", "settings of services that rc-sv supervises");
    page.section("DESCRIPTION");
    page.text(
        "A service is supervised by rc-sv when its variable *rc_supervise_module*, in \
         /etc/conf.d/SERVICE or in the runscript, names a module. OpenRC's own variables keep \
         their names and their meaning; those that begin with rc_supervise_ are added. All of them \
         mean the same under every module; a module that cannot do what is asked for refuses to \
         start the service.",
    );
    page.text(
        "There are modules that run a service, and modules that watch one that OpenRC has started. \
         A module that runs services needs *command*; a script with a start() of its own, which does \
         not come to default_start, it leaves alone, with a warning. A module that watches takes any \
         service: at the very end of its start, and until its stop begins. If it cannot watch it, \
         the service is stopped again and the start fails; if it does not let it go, it is not \
         stopped. A daemon that goes into the background by itself (a *pidfile*, and neither \
         *command_background* nor *command_args_foreground*) is watched rather than run by a module \
         that can do both.",
    );
    page.text(
        "Where the scanner of a suite is a service of OpenRC (s6-svscan, runsvdir, svscan), every \
         service of its module needs it, without being told so in *rc_need*.",
    );
    page.text(
        "The modules s6, runit and daemontools use the scanner of OpenRC's service, whose directory \
         is s6-scan, sv or svscan in /run/openrc; else one that runs for a usual directory; else \
         any that root runs. A service without a command can have a service directory that was \
         written by hand (*s6_service_path*, *runit_service*, *daemontools_service*): it is linked \
         into the scan directory and controlled as it is, and only how it is stopped, how long its \
         finish may take then (*rc_supervise_finish_timeout*, a minute when unset) and \
         *timeout_ready* are taken from here. Where neither *retry* nor *stopsig* is set, down-signal and \
         timeout-kill of s6 and control/t and control/d of runit hold; a start waits for the \
         notification-fd of s6. What another scanner supervises already is refused. When the supervisor of such a directory is killed, the suite runs a second copy \
         beside the first, which nobody supervises any more: its own weakness, which a service with \
         a command does not have. runsvdir is told to look by SIGALRM where it catches that, as Debian's does; \
         other ones and svscan look every five seconds, which is how long a first start can take.",
    );
    sources(&mut page);
    values(&mut page);
    settings(&mut page);
    words(&mut page);
    commands(&mut page);
    captured(&mut page);
    examples(&mut page);
    page.section("FILES");
    page.term(
        "/etc/conf.d/SERVICE, /etc/rc.conf",
        "Variables; see openrc-run(8).",
    );
    page.term("/etc/rc-sv.d/SERVICE.toml", "Settings of one service.");
    page.term(
        "/etc/rc-sv.toml",
        "Defaults for all services, and settings of modules.",
    );
    page.term(
        "~/.config/rc/rc-sv.d/SERVICE.toml, ~/.config/rc/rc-sv.toml",
        "The same for the user's own services, below $XDG_CONFIG_HOME where that is set. What they \
         leave out is looked for in /etc/user/rc-sv.d/SERVICE.toml and /etc/user/rc-sv.toml, and \
         nowhere else: a user's services are those whose state directory is $XDG_RUNTIME_DIR/openrc.",
    );
    page.section("SEE ALSO");
    page.text("rc-sv-loader(8), rc-sv-supervisor(8), openrc-run(8), supervise-daemon(8)");
    page.render()
}

fn sources(page: &mut Page) {
    page.section("WHERE SETTINGS COME FROM");
    page.text("The first of these that sets something wins; an empty value takes back what a later one sets.");
    page.term(
        "1. Variables",
        "of /etc/conf.d/SERVICE, of the runscript and of /etc/rc.conf, with OpenRC's own order \
         among them.",
    );
    page.term(
        "2. /etc/rc-sv.d/SERVICE.toml",
        "Settings at the top of the file, no tables.",
    );
    page.term("3. /etc/rc-sv.toml", "Settings in the table [defaults].");
    page.term("4. The defaults", "that are listed below.");
    page.text(
        "The files are TOML. A setting has the name of the variable. Its value is a string with \
         what the variable would hold; numbers, true and false may be written without quotes, \
         command lines also as an array of strings. Octal masks need quotes.",
    );
    page.text(
        "Whether a service is supervised at all OpenRC decides by *rc_supervise_module* as a \
         variable; in the files it only counts for a service that is started by hand with \
         rc-sv-loader(8). What OpenRC's scripts act upon themselves can only be a variable.",
    );
    page.text(
        "The table [modules.NAME] of /etc/rc-sv.toml belongs to the module NAME; its documentation \
         says what may stand there. For internal: *supervisor*, another path of \
         rc-sv-supervisor(8). For s6, runit and daemontools: *scandir*, the scan directory \
         to use; *exec*, another path of rc-sv-exec(8). For monit: *socket*, its `set httpd \
         unixsocket` (/run/monit.sock), or *address*, such as 127.0.0.1:2812; *user* and *password* \
         where it wants them; *include*, the directory of control files that its own includes \
         (/run/openrc-monit); *files*, where those of rc_monit_type=file are given \
         (/etc/conf.d/monit-files); *program*, monit itself, which is only run to check a control file.",
    );
    page.text(
        "An unknown setting and a value that does not fit are errors, with the variable or with \
         file and line, and the service is not started. One that runs is shown and stopped all \
         the same, with a warning, and without what [modules.NAME] would say. The files must \
         belong to root, or to the caller, and be writable by nobody else.",
    );
}

fn values(page: &mut Page) {
    page.section("VALUES");
    for (name, meaning) in [
        ("yes or no", "Also true, on, 1, y and false, off, 0, n."),
        ("duration", "A number with or without fraction and a unit: ms, s, m, h or d. Without a unit it is in seconds, for some settings of s6 in milliseconds. At most 366 days."),
        ("signal", "A name with or without SIG, or a number."),
        ("stop ladder", "Signals, and how long to wait after each: TERM/30/KILL/5. A plain duration N stands for stopsig/N/KILL/N. After the last one everything left is killed."),
        ("set of exits", "Exit codes, ranges such as 100-103 and names of signals, separated by blanks or commas."),
        ("command line", "Words as in a shell, with its quotes, but nothing is expanded and no shell is involved."),
        ("absolute path", "Begins with a slash."),
        ("size", "A whole number of bytes, or with K, M or G for 1024 and its powers."),
    ] {
        page.term(name, meaning);
    }
}

fn settings(page: &mut Page) {
    page.section("SETTINGS");
    page.text(
        "Each with the values it takes, its default, and since when OpenRC has it. A setting that \
         OpenRC reads itself is listed because it matters to a supervised service too; modules do \
         not see it.",
    );
    for group in Group::ALL {
        page.subsection(group.headline());
        for key in setting::of_group(group) {
            page.term(key.name, key.doc);
            page.more(&format!("({})", setting::facts(key)));
        }
    }
}

fn words(page: &mut Page) {
    page.section("WHAT A SERVICE CAN SAY");
    page.text(
        "With *notify=socket:ready* a service finds a socket in NOTIFY_SOCKET and sends lines to it, \
         as in sd_notify(3). Its main process is listened to, and what is in the same session or \
         cgroup; a process that has gone by the time is not. What is understood:",
    );
    for (word, meaning) in [
        ("READY=1", "It is ready, or has read its configuration again."),
        ("RELOADING=1, STOPPING=1", "It reads its configuration again; it is about to end, and is stopped if it does not within the time of the first rung of its stop ladder."),
        ("STATUS=TEXT", "What it is doing: shown by status."),
        ("ERRNO=N", "Why it fails: told with its end."),
        ("MAINPID=PID", "Another process of the service is the main process now."),
        ("EXTEND_TIMEOUT_USEC=N", "It needs so many microseconds from now on to become ready or to end. A stop can be extended to ten times its ladder."),
        ("WATCHDOG=1, WATCHDOG=trigger, WATCHDOG_USEC=N", "It is alive; it is to be treated as if it were not; how often it will say so. See rc_supervise_watchdog."),
        ("NOTIFYACCESS=none, main, all", "Whom to listen to from now on."),
        ("FDSTORE=1, FDNAME=NAME, FDPOLL=0, FDSTOREREMOVE=1", "Keep the descriptors that come along for the next instance, at most 64, which finds them from 3 on as sd_listen_fds(3) says; close them. One that is kept already is not kept twice. They are kept over respawns and a restart in one step, not over a stop."),
        ("BARRIER=1", "Close the descriptor that comes along when all before was heard."),
    ] {
        page.term(word, meaning);
    }
    page.text(
        "Under s6, runit and daemontools the same is understood but for descriptors, which are not \
         kept: who could keep them there ends with each instance. A stop that somebody has asked for \
         is not extended there. For a daemon that goes into the background there is \
         *rc_supervise_ready=pidfile*.",
    );
    page.text(
        "Commands that check a service, and rc_supervise_unhealthy, run as root (or as whoever runs \
         the supervisor) in /, with the environment, priorities and limits of the service, and \
         RC_SVCNAME; checks with MAINPID too. One that cannot be executed is no failure of the \
         service. rc_supervise_unhealthy finds SERVICE_RESULT=unhealthy.",
    );
}

fn commands(page: &mut Page) {
    page.section("COMMANDS");
    page.text(
        "rc_supervise_finish, rc_supervise_on_give_up, rc_supervise_unhealthy and rc_supervise_alert \
         run as root (or as whoever runs the supervisor) in / and outside of any chroot, in a session \
         of their own, with the environment, umask, priorities and limits of the service, but HOME, \
         USER and LOGNAME of root. Their input is /dev/null; their output goes to the error output of \
         the service. They find:",
    );
    for (name, meaning) in [
        ("RC_SVCNAME", "The service."),
        ("EXIT_CODE, EXIT_STATUS", "How its main process ended last, as systemd has it: exited, killed or dumped, and the code or the name of the signal."),
        ("SERVICE_RESULT", "As systemd has it: success, exit-code, signal, core-dump, timeout, watchdog, start-limit-hit; or unhealthy."),
        ("RESPAWN_COUNT", "Respawns since somebody started it."),
        ("SERVICE_OUTPUT", "The last lines of its output, at most 16 KiB of each stream, where rc_supervise_log_buffer keeps them; else empty."),
    ] {
        page.term(name, meaning);
    }
    page.text(
        "rc_supervise_finish and rc_supervise_on_give_up get two arguments besides: the exit code, or \
         256; and the number of the signal, or 0. rc_supervise_alert gets none, and finds also:",
    );
    for (name, meaning) in [
        ("RC_SV_EVENT", "gave-up, unhealthy or recovered."),
        ("RC_SV_REASON", "Why, in one line, as status shows it."),
        (
            "RC_SV_EXIT",
            "How its main process ended last, in words; empty if it has not.",
        ),
        ("RC_SV_TIME", "When it happened, in seconds since 1970."),
    ] {
        page.term(name, meaning);
    }
    page.text(
        "Nothing waits for an alert. Under internal those of one service run one after the other, and \
         at most 16 at the same time. One that cannot be run, fails or takes longer than rc_supervise_alert_timeout is \
         named in the system's log. Scripts that send mail, or a message to an address of the web, \
         lie in share/doc/rc-sv/examples/alert.",
    );
}

fn captured(page: &mut Page) {
    page.section("WHAT IS CAPTURED");
    page.text(
        "At start this is taken from the runscript's surroundings, and each respawn has it again. \
         It cannot be set.",
    );
    for key in key::all().filter(|key| key.role == Role::Captured) {
        page.term(key.name, key.doc);
    }
}

fn examples(page: &mut Page) {
    page.section("EXAMPLES");
    page.text("/etc/conf.d/foo: supervised, respawned after 1, 2, 4, 5, 5 seconds, and given up after five respawns within a minute:");
    page.example(
        "rc_supervise_module=\"internal\"\n\
         command_args_foreground=\"--no-daemon\"\n\
         respawn_delay=\"1\"\n\
         respawn_delay_cap=\"5\"\n\
         respawn_max=\"5\"\n\
         respawn_period=\"60\"",
    );
    page.text("The same service; a clean-up after each end, no respawn after a configuration error, and a mail when it is given up:");
    page.example(
        "rc_supervise_finish=\"/usr/local/sbin/foo-cleanup --all\"\n\
         rc_supervise_prevent_codes=\"78\"\n\
         rc_supervise_on_give_up=\"/usr/bin/mail -s 'foo was given up' root\"",
    );
    page.text("/etc/rc-sv.toml: other defaults for all services:");
    page.example(
        "[defaults]\n\
         respawn_delay_cap = \"2m\"\n\
         rc_supervise_alert = [\"/usr/share/doc/rc-sv/examples/alert/mail\", \"root\"]",
    );
}
