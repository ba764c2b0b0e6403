//! A temporary place with modules, a state directory and a program that uses them.
#![allow(dead_code)]

use rc_sv_loader::config::{Config, Variables};
use rc_sv_loader::search::Directories;
use rc_sv_loader::{Listener, Loader, Module};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};

/// A directory with `modules`, `run` and `etc`; removed at the end.
pub struct Place(pub PathBuf);

struct Silent;

impl Listener for Silent {
    fn log(&self, _: &str, _: i32, _: &str) {}
}

impl Place {
    pub fn new() -> Place {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let root = format!("rc-sv-loader-{}-{number}", std::process::id());
        // Where other users can get to, too.
        let root = std::env::temp_dir().join(root);
        for name in ["modules", "run", "etc"] {
            fs::create_dir_all(root.join(name)).unwrap();
            // Whatever the umask of the tests is.
            fs::set_permissions(root.join(name), Permissions::from_mode(0o755)).unwrap();
        }
        Place(root)
    }

    pub fn modules(&self) -> PathBuf {
        self.0.join("modules")
    }

    /// Where the module `name` is.
    pub fn module(&self, name: &str) -> PathBuf {
        self.modules().join(format!("librc_sv_{name}.so"))
    }

    /// Compiles the sample as the module `name`, with further options of the compiler.
    pub fn build(&self, name: &str, options: &[&str]) -> PathBuf {
        self.compile("sample.c", "cc -std=c11", name, options)
    }

    /// Compiles a source of `tests/modules` as the module `name`.
    pub fn compile(&self, source: &str, compiler: &str, name: &str, options: &[&str]) -> PathBuf {
        let target = self.module(name);
        let sources = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut words = compiler.split(' ');
        let mut cc = Command::new(words.next().unwrap());
        cc.args(words);
        cc.args(["-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]);
        cc.arg(format!("-DNAME=\"{name}\""))
            .args(options)
            .arg("-o")
            .arg(&target);
        cc.arg("-I").arg(sources.join("../include"));
        cc.arg(sources.join("tests/modules").join(source));
        let output = cc
            .output()
            .expect("cc, a C compiler, is needed for this test");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        fs::set_permissions(&target, Permissions::from_mode(0o755)).unwrap();
        target
    }

    /// A loader that knows this place only.
    pub fn loader(&self) -> Loader {
        let config = Config::new(self.0.join("etc"), Variables::default());
        Loader::new(
            Directories::only(vec![self.modules()]),
            config,
            Rc::new(Silent),
        )
    }

    pub fn open(&self, name: &str) -> rc_sv_api::Result<Module> {
        self.loader().open(name)
    }

    /// Why the module `name` is refused, without this place's path.
    pub fn refusal(&self, name: &str) -> String {
        match self.open(name) {
            Ok(_) => panic!("{name} was not refused"),
            Err(error) => self.plain(&error.message),
        }
    }

    /// `text` without this place's path.
    pub fn plain(&self, text: &str) -> String {
        text.replace(&format!("{}/", self.0.display()), "")
    }

    /// The program, with an environment of its own.
    pub fn program(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rc-sv-loader"));
        command.args(arguments).env_clear();
        command
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", "/root")
            .env("USER", "root");
        command
            .env("RC_SVCDIR", self.0.join("run"))
            .env("RC_SV_PATH", self.modules());
        command
    }

    /// Runs the program: exit code, standard output and standard error, without this place's path.
    pub fn run(&self, arguments: &[&str], variables: &[(&str, &str)]) -> (i32, String, String) {
        self.said(
            self.program(arguments)
                .envs(variables.iter().copied())
                .output()
                .unwrap(),
        )
    }

    pub fn said(&self, output: Output) -> (i32, String, String) {
        let text = |bytes: &[u8]| self.plain(&String::from_utf8_lossy(bytes));
        (
            output.status.code().unwrap_or(-1),
            text(&output.stdout),
            text(&output.stderr),
        )
    }

    /// Sets the state that the sample tells of `service`.
    pub fn set_state(&self, service: &str, state: i32) {
        // At once: a module may be reading it.
        let file = self.0.join("run").join(format!("sample.{service}"));
        let next = self.0.join("next");
        fs::write(&next, state.to_string()).unwrap();
        fs::rename(next, file).unwrap();
    }

    /// The module that is recorded for `service`.
    pub fn recorded(&self, service: &str) -> Option<String> {
        fs::read_to_string(self.0.join("run/rc-sv").join(service).join("module")).ok()
    }

    /// Records a module for `service`.
    pub fn record(&self, service: &str, module: &str) {
        let service = rc_sv_api::ServiceName::new(service.as_bytes()).unwrap();
        let records = rc_sv_loader::record::Records::new(self.0.join("run"));
        records.write(&service, module).unwrap();
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

/// Compilers of modules.
pub const C: &str = "cc -std=c11";
pub const CXX: &str = "c++ -x c++ -std=c++17 -Wno-missing-field-initializers";
/// What leaves the entry as the only symbol.
pub const HIDDEN: &str = "-fvisibility=hidden";

/// Exit code and report of `--verify`, for somebody who has signals ignored, as nohup does.
pub fn verify(place: &Place, file: &Path) -> (i32, String) {
    let program = place.program(&["--verify", file.to_str().unwrap()]);
    let set = program
        .get_envs()
        .filter_map(|(name, value)| Some((name, value?)));
    let mut ignoring = Command::new("env");
    ignoring
        .arg("--ignore-signal=HUP,TERM,USR1")
        .arg(program.get_program())
        .args(program.get_args())
        .env_clear()
        .envs(set);
    let (code, out, err) = place.said(ignoring.output().unwrap());
    assert_eq!(err, "");
    (code, out)
}

/// A place with the whole sample module.
pub fn sample_place() -> Place {
    let place = Place::new();
    place.build("sample", &["-DFULL"]);
    place
}

/// Exit code and standard error of the program; there must be no standard output.
pub fn failure(place: &Place, arguments: &[&str], variables: &[(&str, &str)]) -> (i32, String) {
    let (code, out, err) = place.run(arguments, variables);
    assert_eq!(out, "", "{err}");
    (code, err)
}
