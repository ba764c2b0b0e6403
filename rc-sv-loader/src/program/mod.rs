//! The program: what its command line asks for.

pub mod arguments;
mod check;
mod command;
mod describe;
mod events;
mod examine;
mod generate;
mod json;
mod list;
mod misuse;
mod moment;
mod setting;
mod status;
mod table;
mod upgrade;
mod verify;
mod wait;

use arguments::Arguments;
use check::Check;
use command::Command;
use rc_sv_api::{Code, Error, Outcome, Request, ServiceName};
use rc_sv_loader::draft::{self, Draft};
use rc_sv_loader::{isolation, limits, Act, Call, Failure, Isolation, Listener, Loader, Services};
use std::ffi::OsString;
use std::io::{self, Write};
use std::os::unix::ffi::OsStringExt;
use std::rc::Rc;
use std::time::Duration;

/// The name of this program in its messages.
pub const NAME: &str = "rc-sv-loader";

/// Success.
const OK: u8 = 0;
/// Something failed; there is a line about it on standard error.
const FAILED: u8 = 1;
/// The command line is wrong.
const MISUSED: u8 = 2;
/// A part of the verification could not be run; nothing failed. Automake's and meson's word for it.
const NOT_RUN: u8 = 77;
/// The service starts and stops itself, or the module cannot watch.
const DELEGATES: u8 = 5;

/// How long a module may take to begin to watch, or to end that.
const WATCHING: Duration = Duration::from_secs(30);

/// Does what the command line asks for; the exit code of the program.
pub fn run(arguments: Arguments) -> u8 {
    let service = arguments
        .command
        .as_ref()
        .and_then(Command::service)
        .cloned();
    let listener = Rc::new(Lines {
        service: service.clone(),
    });
    match dispatch(arguments, listener) {
        Ok(code) => code,
        Err(failure) => {
            complain(service.as_ref(), &limits::explain(failure));
            FAILED
        }
    }
}

/// Says what is wrong with the command line, or gives the help that it asks for.
pub fn misused(error: &clap::Error) -> u8 {
    match misuse::line(error) {
        Some(line) => complain(None, &line),
        None => error.exit(),
    }
    MISUSED
}

fn dispatch(arguments: Arguments, listener: Rc<Lines>) -> Result<u8, Failure> {
    if let Some(what) = arguments.generate {
        print(&generate::generate(what))?;
        return Ok(OK);
    }
    let loader = Loader::of_process(listener)?;
    if arguments.answer {
        return isolation::answer(&loader);
    }
    if arguments.list {
        return list::run(&loader, arguments.json);
    }
    if let Some(module) = arguments.describe {
        return describe::run(&loader, &module);
    }
    if let Some(file) = arguments.verify {
        return match arguments.verify_inside {
            Some(scratch) => verify::run_inside(&loader, &file, &scratch),
            None => verify::run(&file, arguments.json),
        };
    }
    if let Some(Command::Check {
        service: None,
        module: Some(module),
        ..
    }) = &arguments.command
    {
        return examine::run(&loader, module);
    }
    if let Some(Command::Check {
        service: Some(service),
        module,
        simulate,
        forks,
        own_start,
        argv,
    }) = arguments.command
    {
        let check = Check {
            service,
            module,
            simulate,
            forks,
            own_start,
            argv,
        };
        return check::run(&loader, check);
    }
    if let Some(Command::Upgrade) = arguments.command {
        return Err(upgrade::run(&loader));
    }
    let services = Services::new(loader)?;
    let request = Request::default();
    let watching = Request {
        timeout: Some(WATCHING),
        ..request
    };
    let outcome = match arguments.command {
        Some(Command::Start {
            service,
            module,
            argv,
            forks,
            respawn,
        }) => {
            let mut draft = draft(service, module, argv)?;
            if forks {
                draft.set_forks();
            }
            let request = Request {
                from_supervisor: respawn,
                ..request
            };
            services.start(&draft, &request)?
        }
        Some(Command::Attach {
            service,
            module,
            argv,
        }) => match watch(
            &services,
            &Call::Attach(draft(service, module, argv)?, watching),
        ) {
            Err(failure) if failure.error.code == Code::Unsupported => return Ok(DELEGATES),
            other => other?,
        },
        Some(Command::Detach { service }) => {
            watch(&services, &Call::Act(Act::Detach, service, watching))?
        }
        Some(Command::Stop { service }) => services.stop(&service, &request)?,
        Some(Command::Restart { service }) => services.restart(&service, &request)?,
        Some(Command::Reload { service }) => services.reload(&service, &request)?,
        Some(Command::Forget { service }) => services.forget(&service, &request)?,
        Some(Command::Signal { service, signal }) => {
            let signal = signal.0;
            services.signal(&service, &Request { signal, ..request })?
        }
        Some(Command::Wait {
            service,
            goal,
            timeout,
        }) => return wait::run(&services, &service, goal, timeout),
        Some(Command::Status {
            service: Some(service),
            json,
        }) => {
            return status::one(&services, &service, json);
        }
        Some(Command::Status {
            service: None,
            json,
        }) => return status::all(&services, json),
        Some(Command::Events {
            services: wanted,
            follow,
            json,
        }) => {
            let show = events::Show { wanted, json };
            return match follow {
                true => events::follow(&services, &show),
                false => events::recent(&services, &show),
            };
        }
        Some(Command::Check { .. } | Command::Upgrade) | None => {
            return Err(Error::invalid("nothing to do; see --help").into())
        }
    };
    Ok(match outcome {
        Outcome::Delegate => DELEGATES,
        Outcome::Done | Outcome::Pending => OK,
    })
}

/// A module that hangs must not keep OpenRC from ending a start or a stop: the call is done apart.
fn watch(services: &Services, call: &Call) -> Result<Outcome, Failure> {
    Isolation::Fork.call(services.loader(), call, &mut |_| {})
}

/// What the command line and the variables of the drop-in say of a service.
fn draft(
    service: ServiceName,
    module: Option<String>,
    argv: Vec<OsString>,
) -> Result<Draft, Failure> {
    let mut draft = Draft::new(service);
    draft.use_variables();
    if let Some(module) = module {
        draft.set("rc_supervise_module", module.as_bytes())?;
    }
    for word in argv {
        draft.add(draft::ARGV, &word.into_vec())?;
    }
    Ok(draft)
}

/// One line on standard error: who, which service, which module, what.
fn complain(service: Option<&ServiceName>, what: &dyn std::fmt::Display) {
    let line = match service {
        Some(service) => format!("{NAME}: {service}: {what}\n"),
        None => format!("{NAME}: {what}\n"),
    };
    // There is nobody left to tell of a failure to tell.
    let _ = io::stderr().write_all(line.as_bytes());
}

/// Writes to standard output. A reader that has seen enough is no failure.
fn print(text: &str) -> Result<(), Failure> {
    write(text).map(drop)
}

/// The same; whether there still is a reader.
fn write(text: &str) -> Result<bool, Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Error::io("standard output", &error).into()),
    }
}

/// What modules log: everything to the system's log, warnings and worse to standard error too.
struct Lines {
    service: Option<ServiceName>,
}

impl Listener for Lines {
    fn log(&self, module: &str, level: i32, line: &str) {
        const WARNING: i32 = 4;
        let text = format!("{module}: {line}");
        if level <= WARNING {
            complain(self.service.as_ref(), &text);
        }
        let service = self
            .service
            .as_ref()
            .map(|name| format!("{name}: "))
            .unwrap_or_default();
        rc_sv_loader::log(level, &format!("{service}{text}"));
    }
}
