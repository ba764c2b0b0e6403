//! Putting a running service under monit's watch, and taking it out.
//!
//! What counts is the control file: a monit that is not there, or does not answer, finds it when it
//! begins. So neither is waited for, and nothing that monit remembers is relied upon.

use crate::client::service::{pending, Service, SYSTEM};
use crate::client::{Action, Seen, ANSWER};
use crate::control_file::marker::{names_of, owners};
use crate::control_file::Rendered;
use crate::install::Candidate;
use crate::room;
use crate::settings::{file_name, file_path, Monit};
use rc_sv_api::abi::Host;
use rc_sv_api::{Code, Error, Result};
use rc_sv_exec::place::Dir;
use std::path::Path;
use std::time::Instant;

/// The include directory is a way into monit, which is root.
pub const INCLUDE_MODE: u32 = 0o700;

/// How a service came under watch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attached {
    /// monit watches it.
    Watched,
    /// monit will, as soon as it runs, or answers; why it does not now.
    Deferred(String),
}

/// Installs `control` for `service` and has monit watch it. `private` is the service's directory.
///
/// # Errors
/// monit does not take the control file, or another file or check has the name: nothing is left.
pub fn attach(
    host: Host,
    monit: &Monit,
    private: &Dir,
    service: &str,
    control: &Rendered,
    deadline: Instant,
) -> Result<Attached> {
    let candidate = Candidate::new(host, monit, private, service, control)?;
    let seen = match monit.client.look_if_running() {
        Err(error) if matches!(error.code, Code::NotRunning | Code::Timeout) => {
            candidate.install_for_later()?;
            return Ok(Attached::Deferred(error.message));
        }
        seen => seen?,
    };
    room::check(&monit.include, &seen, u64::from(candidate.is_first()))?;
    refuse_taken_names(monit, &seen, service, control)?;
    let is_loaded = is_loaded(&seen, control);
    let main = Path::new(&seen.monit.control_file);
    if let Some(why) = candidate.install_beside(main, is_loaded)? {
        return Ok(Attached::Deferred(why));
    }
    if !is_loaded {
        if let Some(deferred) = load(monit, &seen, service, control, deadline)? {
            return Ok(deferred);
        }
    }
    for name in &control.names {
        watch(monit, name, deadline)?;
    }
    Ok(Attached::Watched)
}

/// Has monit watch `name`, which it knows.
///
/// # Errors
/// monit does not know it, or was asked and does not do it.
pub fn watch(monit: &Monit, name: &str, deadline: Instant) -> Result<()> {
    let is_coming = [pending::RESTART, pending::START, pending::MONITOR];
    settle(monit, name, Action::Monitor, deadline, |service| {
        service.is_watched() || is_coming.contains(&service.pending)
    })
}

/// Takes `service` out of monit's watch: asks, and removes the control file. monit forgets the
/// check when it reads its control file the next time. A monit that is not there is no error.
///
/// # Errors
/// monit still watches it.
pub fn detach(monit: &Monit, service: &str, deadline: Instant) -> Result<()> {
    let path = file_path(&monit.include, service);
    let unwatch_all = || {
        let seen = monit.client.look_if_running()?;
        let names = names_of(&seen.monit, service);
        names
            .iter()
            .try_for_each(|name| unwatch(monit, name, deadline))
    };
    let result = unwatch_all();
    match Dir::open_path(&monit.include, INCLUDE_MODE) {
        Ok(include) => include.remove(&file_name(service))?,
        Err(error) if error.code == Code::NotFound => {}
        Err(error) => return Err(error),
    }
    match result {
        // It would find the file gone, were it to read now; what it remembers is refused later.
        Err(error)
            if matches!(
                error.code,
                Code::NotRunning | Code::NotFound | Code::Timeout
            ) =>
        {
            Ok(())
        }
        Err(error) => Err(Error {
            message: format!("{} ({} is removed)", error.message, path.display()),
            ..error
        }),
        Ok(()) => Ok(()),
    }
}

/// Has monit watch `name` no more.
///
/// # Errors
/// As [`watch`].
pub fn unwatch(monit: &Monit, name: &str, deadline: Instant) -> Result<()> {
    // It may be monit itself that has it stopped, and waits for that.
    let is_going = [pending::STOP, pending::RESTART];
    settle(monit, name, Action::Unmonitor, deadline, |service| {
        !service.is_watched() || is_going.contains(&service.pending)
    })
}

/// Asks until it is so: what is asked is lost when monit reads its control file in between.
fn settle(
    monit: &Monit,
    name: &str,
    action: Action,
    deadline: Instant,
    is_so: impl Fn(&Service) -> bool,
) -> Result<()> {
    loop {
        let limit = deadline.min(Instant::now() + ANSWER);
        let seen = match monit.client.look_through_reload(limit) {
            // It has answered before: it has much to do.
            Err(error) if error.code == Code::Timeout && Instant::now() < deadline => continue,
            seen => seen?,
        };
        let Some(service) = seen.monit.service(name) else {
            return Err(Error::new(
                Code::NotFound,
                format!("monit knows no check {name}"),
            ));
        };
        if is_so(service) {
            return Ok(());
        }
        if Instant::now() >= deadline {
            let message = format!("monit was asked to {action} {name} and does not");
            return Err(Error::new(Code::Timeout, message));
        }
        if service.pending == 0 {
            match monit.client.act(name, action, limit) {
                // The next look tells.
                Err(error) if error.code == Code::NotRunning => {}
                asked => asked?,
            }
            if let Some(pid) = seen.pid {
                monit.client.poke(pid)?;
            }
        }
        crate::client::pause();
    }
}

/// Has monit read its control file; says so when it is better not to.
fn load(
    monit: &Monit,
    seen: &Seen,
    service: &str,
    control: &Rendered,
    deadline: Instant,
) -> Result<Option<Attached>> {
    let path = file_path(&monit.include, service);
    let Some(pid) = seen.pid else {
        let why = "is read when monit reloads, which cannot be asked for over TCP";
        return Ok(Some(Attached::Deferred(format!(
            "{} {why}",
            path.display()
        ))));
    };
    let missing = format!(
        "does not include {}: `include {}/*.monitrc` belongs into {}",
        path.display(),
        monit.include.display(),
        seen.monit.control_file
    );
    let loaded = |seen: &Seen| is_loaded(seen, control);
    match monit.client.reload(pid, &missing, loaded, deadline) {
        Ok(_) => Ok(None),
        Err(error) => {
            Dir::open_path(&monit.include, INCLUDE_MODE)?.remove(&file_name(service))?;
            Err(error)
        }
    }
}

fn is_loaded(seen: &Seen, control: &Rendered) -> bool {
    !seen.monit.group(&control.marker).is_empty()
}

/// A name that is taken would end monit at its next reload. What it has of a control file that is
/// gone is not: the same reload forgets that.
fn refuse_taken_names(monit: &Monit, seen: &Seen, service: &str, control: &Rendered) -> Result<()> {
    let stays = |owner: &str| owner != service && file_path(&monit.include, owner).exists();
    for name in &control.names {
        let Some(taken) = seen.monit.service(name) else {
            continue;
        };
        let mut owners = owners(&seen.monit, name).peekable();
        let what = match owners.peek() {
            None if taken.kind == SYSTEM => "of the machine itself: rename one".to_string(),
            None => format!(
                "from {}; use rc_monit_type=native, or remove that one",
                seen.monit.control_file
            ),
            Some(_) => match owners.find(|owner| stays(owner)) {
                None => continue,
                Some(owner) => {
                    format!("for the service {owner}; names have no case there: rename one")
                }
            },
        };
        return Err(Error::new(
            Code::Conflict,
            format!("monit has a check {} already, {what}", taken.name),
        ));
    }
    Ok(())
}
