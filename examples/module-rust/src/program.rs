//! From the settings of a service to supervisord's description of a program. Pure.

use rc_sv_api::ladder::Ladder;
use rc_sv_api::{signal, Code, Error, Result, Settings};

/// Whom the service runs as.
pub struct Account {
    /// USER or USER:GROUP.
    user: String,
    login: String,
    home: String,
}

impl Account {
    /// From a line of passwd(5); `user` is what was set.
    pub fn parse(user: &str, line: &str) -> Option<Account> {
        let fields: Vec<&str> = line.trim_end().split(':').collect();
        let [login, _, _, _, _, home, _] = fields[..] else {
            return None;
        };
        let (user, login, home) = (user.into(), login.into(), home.into());
        Some(Account { user, login, home })
    }

    /// What a login would set.
    fn variables(&self) -> [String; 3] {
        let Account { login, home, .. } = self;
        [
            format!("USER={login}"),
            format!("LOGNAME={login}"),
            format!("HOME={home}"),
        ]
    }
}

/// What supervisord has and conf.d has not.
pub struct Limits {
    /// Up for so long, a program has started.
    pub startsecs: i64,
    /// So many attempts to start.
    pub startretries: i64,
}

/// Settings that are taken over, and from `service` on what the host has captured.
const KNOWN: [&str; 21] = [
    "rc_supervise_module",
    "command_user",
    "directory",
    "umask",
    "output_log",
    "error_log",
    "retry",
    "stopsig",
    "stopgroup",
    "rc_supervise_policy",
    "rc_supervise_nice",
    "rc_supervise_ionice",
    "rc_supervise_oom_score_adj",
    "service",
    "runscript",
    "svcdir",
    "argv",
    "environment",
    "rlimits",
    "cgroup",
    "cgroups_v1",
];

/// The name of the program: that of the service.
///
/// # Errors
/// It is none for supervisord.
pub fn name(spec: &dyn Settings) -> Result<String> {
    let service = spec.service()?.to_string();
    match service.contains([':', ' ', '[', ']', '%', ';', '#', '*', ',']) {
        true => Err(Error::invalid(
            "supervisord takes no : [ ] % ; # * , or blank in a name",
        )),
        false => Ok(service),
    }
}

/// The two files of a program.
pub struct Program {
    /// Its description for supervisord.
    pub config: String,
    /// What it runs: a script that makes the surroundings and becomes the daemon.
    pub script: Vec<u8>,
}

/// The program of `spec`, whose script will be at `script`.
///
/// # Errors
/// A setting that supervisord cannot follow, by its name.
pub fn render(
    spec: &dyn Settings,
    account: &Option<Account>,
    limits: &Limits,
    script: &str,
) -> Result<Program> {
    if let Some(key) = spec.keys().into_iter().find(|key| !KNOWN.contains(key)) {
        let what = format!("{key}: supervisord has no such thing; unset it");
        return Err(Error::new(Code::Unsupported, what));
    }
    let autorestart = match spec.word("rc_supervise_policy").as_str() {
        "always" => "true",
        "no" => "false",
        other => return Err(refused("rc_supervise_policy", other, "always or no")),
    };
    let (stopsignal, stopwaitsecs) = ending(spec)?;
    let mut lines = vec![
        format!("[program:{}]", name(spec)?),
        format!("command=/bin/sh {script}"),
        "autostart=false".into(),
        format!("autorestart={autorestart}"),
        format!("startsecs={}", limits.startsecs),
        format!("startretries={}", limits.startretries),
        format!("stopsignal={stopsignal}"),
        format!("stopwaitsecs={stopwaitsecs}"),
        format!("stopasgroup={}", spec.flag("stopgroup")),
        "killasgroup=true".into(),
        format!("directory={}", path(spec, "directory", "/")?),
        format!("umask={:03o}", spec.int("umask").unwrap_or(0o022)),
    ];
    for (key, name) in [("output_log", "stdout"), ("error_log", "stderr")] {
        lines.push(format!("{name}_logfile={}", path(spec, key, "NONE")?));
        lines.push(format!("{name}_logfile_maxbytes=0"));
    }
    Ok(Program {
        config: lines.join("\n") + "\n",
        script: commands(spec, account)?,
    })
}

/// First signal of a stop and the seconds until KILL.
fn ending(spec: &dyn Settings) -> Result<(String, u64)> {
    let stopsig = spec.int_or_default("stopsig").unwrap_or(15) as i32;
    let retry = spec.word("retry");
    let ladder = match retry.as_str() {
        "" => Ladder::standard(stopsig),
        text => Ladder::parse(text, stopsig).map_err(Error::invalid)?,
    };
    let wanted = "a time-out up to 300 s, or SIGNAL/TIME-OUT/KILL/TIME-OUT";
    let [first, kill] = ladder.rungs() else {
        return Err(refused("retry", &retry, wanted));
    };
    let seconds = first.wait.as_secs();
    if kill.signal != signal::KILL || first.wait.subsec_millis() > 0 || seconds > 300 {
        return Err(refused("retry", &retry, wanted));
    }
    Ok((signal::name(first.signal), seconds))
}

/// The daemon, behind programs that each make one of the surroundings and execute the next: what
/// a child of supervisord does not inherit from the host.
fn commands(spec: &dyn Settings, account: &Option<Account>) -> Result<Vec<u8>> {
    const NAMES: [&str; 16] = [
        "cpu",
        "fsize",
        "data",
        "stack",
        "core",
        "rss",
        "nproc",
        "nofile",
        "memlock",
        "as",
        "locks",
        "sigpending",
        "msgqueue",
        "nice",
        "rtprio",
        "rttime",
    ];
    let mut script = Vec::new();
    if let Some(cgroup) = spec.text("cgroup") {
        let procs = quoted(&[cgroup, b"/cgroup.procs"].concat());
        script.extend([b"echo 0 >", &procs[..], b" || exit\n"].concat());
    }
    script.extend(b"exec");
    let mut add = |words: &[&str]| {
        for word in words {
            script.extend([b" ", &quoted(word.as_bytes())[..]].concat());
        }
    };
    add(&["/usr/bin/prlimit"]);
    for limit in spec.list("rlimits").unwrap_or_default() {
        let limit = String::from_utf8_lossy(limit);
        let known = limit
            .split_once('=')
            .and_then(|(number, values)| Some((NAMES.get(number.parse::<usize>().ok()?)?, values)));
        let (name, values) = known.ok_or_else(|| refused("rlimits", &limit, "NUMBER=SOFT:HARD"))?;
        add(&[&format!("--{name}={values}")]);
    }
    if let Some(score) = spec.int("rc_supervise_oom_score_adj") {
        add(&["/usr/bin/choom", "-n", &score.to_string(), "--"]);
    }
    match spec.word("rc_supervise_ionice").split_once(':') {
        Some((class @ ("1" | "2"), level)) => add(&["/usr/bin/ionice", "-c", class, "-n", level]),
        Some((class @ "3", _)) => add(&["/usr/bin/ionice", "-c", class]),
        _ => {}
    }
    if let Some(nice) = spec.int("rc_supervise_nice") {
        add(&["/usr/bin/nice", "-n", &nice.to_string()]);
    }
    if let Some(account) = account {
        let user = format!("--userspec={}", account.user);
        add(&["/usr/sbin/chroot", "--skip-chdir", &user, "/"]);
    }
    add(&["/usr/bin/env", "-i"]);
    let mut words = spec.list("environment").unwrap_or_default();
    let own = account
        .iter()
        .flat_map(Account::variables)
        .collect::<Vec<_>>();
    words.extend(own.iter().map(String::as_bytes));
    words.extend(spec.list("argv").unwrap_or_default());
    for word in words {
        script.extend([b" ", &quoted(word)[..]].concat());
    }
    script.push(b'\n');
    Ok(script)
}

/// A word for the shell, whatever is in it.
fn quoted(word: &[u8]) -> Vec<u8> {
    let parts: Vec<&[u8]> = word.split(|byte| *byte == b'\'').collect();
    [b"'", &parts.join(&b"'\\''"[..])[..], b"'"].concat()
}

/// A path for supervisord, which expands `%` and takes ` ;` for the beginning of a comment.
fn path(spec: &dyn Settings, key: &str, default: &str) -> Result<String> {
    let Some(path) = spec.text(key) else {
        return Ok(default.into());
    };
    let path = String::from_utf8_lossy(path);
    match path.contains([';', '#', '\n', '\r', ' ']) {
        true => Err(refused(
            key,
            &path,
            "without blanks, semicolons and number signs",
        )),
        false => Ok(path.replace('%', "%%")),
    }
}

fn refused(what: &str, value: &str, wanted: &str) -> Error {
    Error::invalid(format!(
        "{what}: {value:.60}: must be {wanted} for supervisord"
    ))
}

#[cfg(test)]
mod tests;
