//! A module that watches: the daemon is started and stopped here, as a runscript does it, and the
//! module is told.

use super::bare::{Op, Opened};
use super::owning::{kill, require, state};
use super::report::{wrong, Finding, Objection};
use super::scene::{lives, Scene, SOON};
use super::sheet::Sheet;
use rc_sv_api::{Error, Request, Spec, State, Value};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// A module that watches, and a daemon that is ours.
pub(super) struct Watching<'a> {
    module: Opened<'a>,
    scene: Scene,
    /// Names the service and its pid file.
    spec: Spec,
    pid_file: PathBuf,
}

impl<'a> Watching<'a> {
    pub fn new(module: Opened<'a>, scene: Scene) -> Result<Watching<'a>, Objection> {
        let pid_file = scene.path("pid");
        let mut spec = scene.spec_of(scene.argv(false))?;
        let text = pid_file.as_os_str().as_bytes().to_vec();
        spec.put("pidfile", Value::Text(text));
        Ok(Watching {
            module,
            scene,
            spec,
            pid_file,
        })
    }

    /// All checks in order.
    pub fn run(mut self, sheet: &mut Sheet) {
        let mut daemon = None;
        sheet.check("unknown service", || self.unknown());
        sheet.check("attach", || {
            self.begin().map(|child| {
                let text = format!("pid {} is watched", child.id());
                daemon = Some(child);
                text
            })
        });
        let Some(mut daemon) = daemon else {
            return;
        };
        let pid = daemon.id() as i32;
        sheet.check("attach again", || {
            self.order(Op::Attach)?;
            self.untouched(pid)
        });
        sheet.check("list", || self.list());
        sheet.check("detach", || {
            self.order(Op::Detach)?;
            self.untouched(pid)
        });
        sheet.check("detach again", || {
            self.order(Op::Detach)?;
            self.untouched(pid)
        });
        sheet.check("forget", || match self.module.forget(&self.spec)? {
            Some(answer) => require(&answer, "forget").map(|()| "is done".into()),
            None => Ok("is not offered".into()),
        });
        // Whatever happened above: it is ours.
        let _ = kill(pid);
        let _ = daemon.wait();
    }

    fn unknown(&mut self) -> Finding {
        let (answer, status) = self.module.status(&self.spec)?;
        require(&answer, "status of a service that nobody has attached")?;
        match state(&status) {
            State::Unmanaged => Ok("is unmanaged".into()),
            state => Err(wrong(format!(
                "status of a service that nobody has attached is {}; it must be unmanaged",
                state.name()
            ))),
        }
    }

    fn begin(&mut self) -> Result<Child, Objection> {
        let argv = self.scene.argv(false);
        let words: Vec<&OsStr> = argv.iter().map(|word| OsStr::from_bytes(word)).collect();
        let child = Command::new(words[0])
            .args(&words[1..])
            .stdin(Stdio::null())
            .spawn()
            .map_err(|error| Error::io("/bin/sh", &error))?;
        let pid = self.scene.expect("start", SOON)?;
        std::fs::write(&self.pid_file, format!("{pid}\n"))
            .map_err(|error| Error::io(self.pid_file.display(), &error))?;
        self.order(Op::Attach)?;
        let known = self.scene.until(SOON, || {
            let (answer, status) = self.module.status(&self.spec)?;
            require(&answer, "status")?;
            Ok(matches!(state(&status), State::Up | State::Starting))
        })?;
        if known {
            return Ok(child);
        }
        Err(wrong(format!(
            "process {pid} was attached, but status does not say that it is up"
        )))
    }

    fn order(&self, op: Op) -> Result<(), Objection> {
        let answer = self.module.act(op, &self.spec, Some(&Request::default()))?;
        require(&answer, &format!("{op:?}").to_lowercase())
    }

    fn untouched(&mut self, pid: i32) -> Finding {
        if !lives(pid) {
            return Err(wrong(format!(
                "process {pid} is dead; the service must be left as it is"
            )));
        }
        self.scene.expect_untouched(pid)?;
        Ok(format!("pid {pid} is left alone"))
    }

    fn list(&mut self) -> Finding {
        let Some(services) = self.module.list()? else {
            return Ok("is not offered".into());
        };
        match services
            .iter()
            .any(|(name, _)| name == self.scene.service())
        {
            true => Ok("has it".into()),
            false => Err(wrong("list does not have the service, which is attached")),
        }
    }
}
