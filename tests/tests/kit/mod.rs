//! A machine of an author: this one, with rc-sv as staged installed in /usr, privately, and with the
//! programs of the lab's root where this machine has none.
#![allow(dead_code)] // Each test file uses a part of it.

use rc_sv_tests::lab::{root, stage};
use rc_sv_tests::Lab;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

/// Runs a script as on a machine with rc-sv: `$1` are the lower directories, `$2` what is written to
/// /usr, `$3` room for the overlay. Mounts and processes end with the script.
const ON_A_MACHINE: &str = r#"
mount -t overlay overlay -o "lowerdir=$1,upperdir=$2,workdir=$3" /usr || exit 125
cd "$4" || exit 125
exec /bin/sh -eu -c "$5"
"#;

/// An author with an installed rc-sv and an empty directory. What he installs is in [`Author::tree`].
pub struct Author {
    place: TempDir,
}

impl Author {
    pub fn new() -> Author {
        let place = tempfile::tempdir().expect("a directory");
        for name in ["home", "room", "tree", "tree/usr"] {
            let path = place.path().join(name);
            fs::create_dir(&path).expect("a directory");
            // The tree becomes the root of a lab, whatever this process's mask is.
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("chmod");
        }
        Author { place }
    }

    /// Where his commands run.
    pub fn home(&self) -> PathBuf {
        self.place.path().join("home")
    }

    /// A lab in which everything that he has installed is installed. It must end first.
    pub fn lab(&self) -> Lab {
        Lab::builder().over(self.tree()).build()
    }

    fn tree(&self) -> PathBuf {
        self.place.path().join("tree")
    }

    /// Runs a script.
    pub fn runs(&self, script: &str) -> Output {
        let output = Command::new("unshare")
            .args(["--mount", "--propagation", "private"])
            .args(["--pid", "--fork", "--kill-child", "--mount-proc"])
            .args(["sh", "-c", ON_A_MACHINE, "sh"])
            .arg(lower())
            // Its own target directories, as anybody's.
            .env_remove("CARGO_TARGET_DIR")
            .arg(self.tree().join("usr"))
            .arg(self.place.path().join("room"))
            .arg(self.home())
            .arg(script)
            .output()
            .expect("unshare is needed for this test");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_ne!(output.status.code(), Some(125), "the machine: {said}");
        output
    }

    /// Runs a script that has to succeed; what it writes.
    #[track_caller]
    pub fn sh(&self, script: &str) -> String {
        let output = self.runs(script);
        let said = String::from_utf8_lossy(&output.stderr);
        let wrote = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{script}\n{wrote}{said}");
        wrote
    }

    /// Gives him a clone of the repository, or the part of it below `path`.
    pub fn clone(&self, path: &str) {
        let script = "cd \"$1\" && git ls-files -z \"$2\" | xargs -0 cp -d --parents -t \"$3\"";
        let mut copy = Command::new("sh");
        let copy = copy.args(["-c", script, "sh"]).arg(repository()).arg(path);
        let done = copy.arg(self.home()).status().expect("sh");
        assert!(done.success(), "{path}");
    }
}

pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the repository")
        .to_path_buf()
}

/// What is in /usr, the uppermost first.
fn lower() -> String {
    let (stage, root) = (stage().unwrap(), root().unwrap());
    format!("{}/usr:/usr:{}/usr", stage.display(), root.display())
}
