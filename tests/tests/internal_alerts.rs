//! Alerts under OpenRC: once when it failed and once when that is over, by commands of the
//! administrator's and by the samples that are installed.

mod internal;
mod openrc;

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc;
use std::thread;

use internal::{probe, starts, until_failed, until_status, AT_ONCE};
use openrc::{rc, INTERNAL, SOON};
use rc_sv_tests::lab::until;
use rc_sv_tests::Lab;

/// Where the samples are installed.
const SAMPLES: &str = "/usr/share/doc/rc-sv/examples/alert";

/// Notes what an alert is told.
const TELL: &str = "#!/bin/sh\n\
    echo \"$RC_SVCNAME|$RC_SV_EVENT|$RC_SV_EXIT|$(id -u)|$PWD|$HOME|$RC_SV_REASON\" >>/tmp/told\n\
    printf '%s\\n' \"$SERVICE_OUTPUT\" >>/tmp/output\n";

/// Speaks and fails, until it is repaired.
const SPEAKER: &str = "#!/bin/sh\n\
    [ -e /tmp/repaired ] && exec sleep 4242\n\
    echo 'I am \"ill\" \\ today'\n\
    echo >&2 'and cannot go on'\n\
    exit 3\n";

const ONCE: &str = "respawn_max=1\nrc_supervise_reset_after=300ms\n";

/// A service `speaker` that is given up, with a command that alerts; it runs as nobody.
fn speaker(lab: &Lab, alert: &str) {
    lab.write("/usr/local/bin/speaker", SPEAKER, 0o755);
    lab.service("speaker", "command=/usr/local/bin/speaker\n");
    let conf = format!(
        "{INTERNAL}{AT_ONCE}{ONCE}command_user=nobody\nrc_supervise_log_buffer=8K\n\
         rc_supervise_alert=\"{alert}\"\n"
    );
    lab.conf("speaker", &conf);
    rc(lab, "speaker", "start").ok();
    until_failed(lab, "speaker");
}

fn repair(lab: &Lab) {
    lab.write("/tmp/repaired", "", 0o644);
    rc(lab, "speaker", "start").ok();
}

#[test]
fn a_give_up_is_told_with_reason_and_output_and_its_end_once() {
    let lab = Lab::new();
    lab.write("/usr/local/bin/tell", TELL, 0o755);
    speaker(&lab, "tell");
    let told = lab.wait_for_lines("/tmp/told", 1, SOON);
    let is_told = |line: &str| {
        line.starts_with("speaker|gave-up|exited 3|0|/|/root|gave up after 1 restart in ")
            && line.ends_with(": exited 3")
    };
    assert!(is_told(&told[0]), "{told:?}");
    let output = lab.wait_for_lines("/tmp/output", 4, SOON);
    assert!(
        output.contains(&"I am \"ill\" \\ today".to_string()),
        "{output:?}"
    );
    assert!(
        output.contains(&"and cannot go on".to_string()),
        "{output:?}"
    );
    repair(&lab);
    let told = lab.wait_for_lines("/tmp/told", 2, SOON);
    assert_eq!(told.len(), 2, "{told:?}");
    let over = "speaker|recovered|exited 3|0|/|/root|up for 300 ms";
    assert_eq!(told[1], over);
}

#[test]
fn one_for_all_services_stands_in_the_file_for_all() {
    let lab = Lab::new();
    lab.write("/usr/local/bin/tell", TELL, 0o755);
    let toml = "[defaults]\nrc_supervise_alert = \"/usr/local/bin/tell\"\nrespawn_max = 1\n";
    lab.write("/etc/rc-sv.toml", toml, 0o644);
    for service in ["foo", "bar"] {
        probe(&lab, service, "--exit 4", AT_ONCE);
        rc(&lab, service, "start").ok();
    }
    let mut told = lab.wait_for_lines("/tmp/told", 2, SOON);
    told.sort();
    assert!(told[0].starts_with("bar|gave-up|exited 4|"), "{told:?}");
    assert!(told[1].starts_with("foo|gave-up|exited 4|"), "{told:?}");
}

#[test]
fn what_is_unhealthy_and_left_alone_is_told_and_that_it_is_well() {
    let lab = Lab::new();
    lab.write("/usr/local/bin/tell", TELL, 0o755);
    lab.write("/tmp/well", "", 0o644);
    let conf = "rc_supervise_alert=tell\nrc_supervise_health=\"exec:'/usr/bin/test -e /tmp/well' \
                interval=100ms timeout=1m failures=2 action=alert\"\n";
    probe(&lab, "sick", "", conf);
    rc(&lab, "sick", "start").ok();
    lab.sh("rm /tmp/well").ok();
    let told = lab.wait_for_lines("/tmp/told", 1, SOON);
    let line = "sick|unhealthy||0|/|/root|unhealthy: /usr/bin/test: exited 1";
    assert_eq!(told, [line]);
    lab.write("/tmp/well", "", 0o644);
    let told = lab.wait_for_lines("/tmp/told", 2, SOON);
    assert_eq!(told[1], "sick|recovered||0|/|/root|healthy again");
    assert_eq!(internal::start_count(&lab, "sick"), 1);
}

#[test]
fn one_that_hangs_is_killed_after_its_time_and_delays_nothing() {
    let lab = Lab::new();
    let hang = "#!/bin/sh\necho $$ >>/tmp/pids\nsleep 4243 &\necho $! >>/tmp/pids\nwait\n";
    lab.write("/usr/local/bin/hang", hang, 0o755);
    let conf = format!("{AT_ONCE}{ONCE}rc_supervise_alert=hang\nrc_supervise_alert_timeout=15s\n");
    probe(&lab, "foo", "--exit 3 --unless /tmp/repaired", &conf);
    rc(&lab, "foo", "start").ok();
    until_failed(&lab, "foo");
    let pids = lab.wait_for_lines("/tmp/pids", 2, SOON);
    let pids: Vec<i32> = pids.iter().map(|pid| pid.parse().expect("a pid")).collect();
    // It hangs, and everything else goes on.
    lab.write("/tmp/repaired", "", 0o644);
    rc(&lab, "foo", "start").ok();
    starts(&lab, "foo", 3);
    rc(&lab, "foo", "stop").ok();
    pids.iter().for_each(|pid| lab.wait_dead(*pid, SOON));
    rc(&lab, "foo", "start").ok();
    until_status(&lab, "foo", "status: started");
}

#[test]
fn the_sample_for_mail_hands_a_message_to_the_mailer() {
    let lab = Lab::new();
    let mailer = "#!/bin/sh\n{ echo \"$*\"; cat; } >/tmp/mail.new\nmv /tmp/mail.new /tmp/mail\n";
    lab.write("/usr/local/sbin/sendmail", mailer, 0o755);
    speaker(&lab, &format!("{SAMPLES}/mail ops@example.org root"));
    lab.wait_for_file("/tmp/mail", |_| true, SOON);
    let mail = lab.text("/tmp/mail");
    let (head, body) = mail.split_once("\n\n").expect("a head and a body");
    let head: Vec<&str> = head.lines().collect();
    assert_eq!(
        head[..2],
        ["-i -- ops@example.org root", "To: ops@example.org,root"]
    );
    assert!(head[2].starts_with("Subject: [") && head[2].ends_with("] speaker was given up"));
    for words in [
        "Why:       gave up after 1 restart in ",
        "Last end:  exited 3\n",
        "Respawns:  1\n",
        "I am \"ill\" \\ today\n",
    ] {
        assert!(body.contains(words), "{words}: {mail}");
    }
    lab.sh("rm /tmp/mail").ok();
    repair(&lab);
    let is_over = |mail: &[u8]| String::from_utf8_lossy(mail).contains("speaker has recovered");
    lab.wait_for_file("/tmp/mail", is_over, SOON);
}

/// Takes one request after the other, and notes its kind and its body.
const LISTENER: &str = r#"
import http.server
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with open("/tmp/posted", "ab") as file:
            file.write(self.headers["Content-Type"].encode() + b" " + body + b"\n")
        self.send_response(204)
        self.end_headers()
server = http.server.HTTPServer(("127.0.0.1", 7080), Handler)
open("/tmp/listening", "w").close()
server.serve_forever()
"#;

#[test]
fn the_sample_for_the_web_posts_an_object() {
    let lab = Lab::new();
    lab.sh("ln -s /bin/busybox /usr/local/bin/wget").ok();
    lab.write("/tmp/listener.py", LISTENER, 0o644);
    let listener = lab.spawn("exec python3 /tmp/listener.py");
    lab.wait_for_file("/tmp/listening", |_| true, SOON);
    speaker(
        &lab,
        &format!("{SAMPLES}/webhook http://127.0.0.1:7080/hook"),
    );
    let posted = lab.wait_for_lines("/tmp/posted", 1, SOON);
    let (kind, body) = posted[0].split_once(' ').expect("a kind and a body");
    assert_eq!(kind, "application/json");
    let object: serde_json::Value = serde_json::from_str(body).expect(body);
    let text = |member: &str| {
        object[member]
            .as_str()
            .unwrap_or_else(|| panic!("{member}: {body}"))
    };
    assert_eq!((text("service"), text("event")), ("speaker", "gave-up"));
    assert_eq!(
        (text("exit"), text("result")),
        ("exited 3", "start-limit-hit")
    );
    assert!(text("text").contains(text("reason")), "{body}");
    assert!(text("output").contains("I am \"ill\" \\ today"), "{body}");
    assert_eq!(object["respawns"], 1, "{body}");
    repair(&lab);
    let posted = lab.wait_for_lines("/tmp/posted", 2, SOON);
    assert!(posted[1].contains("\"event\":\"recovered\""), "{posted:?}");
    until("an end that leaves nothing", SOON, || {
        let left = lab.sh("ls /tmp/tmp.* 2>/dev/null").stdout;
        left.is_empty().then_some(())
    });
    drop(listener);
}

fn sample(name: &str) -> PathBuf {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    top.join("examples/alert").join(name)
}

/// curl goes first where there is one; the lab has none.
#[test]
fn the_sample_for_the_web_takes_curl_where_it_is() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
    let (said, heard) = mpsc::channel();
    thread::spawn(move || {
        let mut stream = listener.accept().expect("a connection").0;
        let mut request = Vec::new();
        while !request.ends_with(b"\"}") {
            let mut bytes = [0; 4096];
            let count = stream.read(&mut bytes).expect("a request");
            assert!(count > 0, "{}", String::from_utf8_lossy(&request));
            request.extend(&bytes[..count]);
        }
        let answer = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";
        stream.write_all(answer).expect("an answer");
        said.send(String::from_utf8(request).expect("UTF-8"))
    });
    let mut command = Command::new(sample("webhook"));
    let variables = [
        ("RC_SVCNAME", "foo"),
        ("RC_SV_EVENT", "unhealthy"),
        ("RC_SV_REASON", "a \"quoted\"\tword"),
        ("RC_SV_EXIT", ""),
        ("RC_SV_TIME", "1795346445"),
        ("SERVICE_RESULT", "unhealthy"),
        ("RESPAWN_COUNT", "0"),
        ("SERVICE_OUTPUT", "one\ntwo\\"),
    ];
    let output = command.arg(&url).envs(variables).output();
    let output = output.expect("the script");
    assert!(output.status.success(), "{output:?}");
    let request = heard.recv_timeout(SOON).expect("a request");
    assert!(
        request.to_lowercase().contains("user-agent: curl/"),
        "{request}"
    );
    let (_, body) = request.split_once("\r\n\r\n").expect("a body");
    let object: serde_json::Value = serde_json::from_str(body).expect(body);
    assert_eq!(object["reason"], "a \"quoted\"\tword");
    assert_eq!(object["output"], "one\ntwo\\");
}

#[test]
fn the_samples_are_sound_shell_scripts() {
    let mut command = Command::new("shellcheck");
    let output = command.args([sample("mail"), sample("webhook")]).output();
    let output = output.expect("shellcheck, see tests/lab/tools");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
}
