//! The files that are made from the registry and the command line, against those in the tree.

use std::path::Path;
use std::process::Command;

fn generate(what: &str) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rc-sv-loader"));
    let output = command.args(["--generate", what]).output().unwrap();
    assert!(output.status.success(), "{what}");
    String::from_utf8(output.stdout).unwrap()
}

fn compare(what: &str, path: &str) {
    let made = generate(what);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    let path = path.display();
    assert!(
        made == kept,
        "out of date: rc-sv-loader --generate {what} >{path}"
    );
}

#[test]
fn shell_keys() {
    compare("shell-keys", "openrc/rc-sv-keys.sh");
}

#[test]
fn manual_pages() {
    compare("man-8", "man/rc-sv-loader.8");
    compare("man-5", "man/rc-sv.5");
}

#[test]
fn every_setting_is_in_the_manual_page() {
    let page = generate("man-5").replace('\\', "");
    for key in rc_sv_api::key::all() {
        let head = format!(".TP\nfB{}fR\n", key.name);
        assert_eq!(page.matches(&head).count(), 1, "{}", key.name);
        let doc = page.replace("*(Aq", "'");
        assert!(doc.contains(key.doc), "{}", key.name);
    }
}

#[test]
fn manual_pages_are_correct_roff() {
    for page in [
        "man/rc-sv-loader.8",
        "man/rc-sv.5",
        "man/rc-sv-supervisor.8",
        "man/rc-sv-exec.8",
        "man/rc-sv-module.3",
        "man/rc_sv.3",
    ] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(page);
        let mut groff = Command::new("groff");
        let output = groff
            .args(["-man", "-ww", "-Tutf8", "-z"])
            .arg(path)
            .output();
        let output = output.expect("groff is needed for this test");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{page}");
        assert!(output.status.success(), "{page}");
    }
}

#[test]
fn completions_know_the_commands_and_not_what_is_hidden() {
    for shell in ["complete-bash", "complete-zsh", "complete-fish"] {
        let script = generate(shell);
        assert!(
            script.contains("restart") && script.contains("describe"),
            "{shell}"
        );
    }
    let mut bash = Command::new("bash");
    let mut bash = bash
        .arg("-n")
        .stdin(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    use std::io::Write;
    bash.stdin
        .take()
        .unwrap()
        .write_all(generate("complete-bash").as_bytes())
        .unwrap();
    assert!(bash.wait().unwrap().success());
}
