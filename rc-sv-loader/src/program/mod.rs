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
    match arguments.command {
        Some(Command::Check {
            service: Some(service),
            module,
            simulate,
            forks,
            own_start,
            argv,
        }) => {
            let check = Check {
                service,
                module,
                simulate,
                forks,
                own_start,
                argv,
            };
            check::run(&loader, check)
        }
        Some(Command::Check {
            module: Some(module),
            ..
        }) => examine::run(&loader, &module),
        Some(Command::Upgrade) => Err(upgrade::run(&loader)),
        Some(command) => obey(&Services::new(loader)?, command),
        None => Err(nothing_to_do()),
    }
}

/// Shows services, or does something about one.
fn obey(services: &Services, command: Command) -> Result<u8, Failure> {
    match command {
        Command::Wait {
            service,
            goal,
            timeout,
        } => wait::run(services, &service, goal, timeout),
        Command::Status {
            service: Some(service),
            json,
        } => status::one(services, &service, json),
        Command::Status {
            service: None,
            json,
        } => status::all(services, json),
        Command::Events {
            services: wanted,
            follow,
            json,
        } => {
            let show = events::Show { wanted, json };
            match follow {
                true => events::follow(services, &show),
                false => events::recent(services, &show),
            }
        }
        command => Ok(match act(services, command)? {
            Outcome::Delegate => DELEGATES,
            Outcome::Done | Outcome::Pending => OK,
        }),
    }
}

/// Does something about a service.
fn act(services: &Services, command: Command) -> Result<Outcome, Failure> {
    let request = Request::default();
    match command {
        Command::Start {
            service,
            module,
            argv,
            forks,
            respawn,
        } => {
            let mut draft = draft(service, module, argv)?;
            if forks {
                draft.set_forks();
            }
            let request = Request {
                from_supervisor: respawn,
                ..request
            };
            services.start(&draft, &request)
        }
        Command::Attach {
            service,
            module,
            argv,
        } => {
            let draft = draft(service, module, argv)?;
            match watch(services, |request| Call::Attach(draft, request)) {
                Err(failure) if failure.error.code == Code::Unsupported => Ok(Outcome::Delegate),
                other => other,
            }
        }
        Command::Detach { service } => {
            watch(services, |request| Call::Act(Act::Detach, service, request))
        }
        Command::Stop { service } => services.stop(&service, &request),
        Command::Restart { service } => services.restart(&service, &request),
        Command::Reload { service } => services.reload(&service, &request),
        Command::Forget { service } => services.forget(&service, &request),
        Command::Signal { service, signal } => {
            let signal = signal.0;
            services.signal(&service, &Request { signal, ..request })
        }
        Command::Check { .. }
        | Command::Upgrade
        | Command::Wait { .. }
        | Command::Status { .. }
        | Command::Events { .. } => Err(nothing_to_do()),
    }
}

/// A module that hangs must not keep OpenRC from ending a start or a stop: the call is done apart.
fn watch(services: &Services, call: impl FnOnce(Request) -> Call) -> Result<Outcome, Failure> {
    let request = Request {
        timeout: Some(WATCHING),
        ..Request::default()
    };
    Isolation::Fork.call(services.loader(), &call(request), &mut |_| {})
}

fn nothing_to_do() -> Failure {
    Error::invalid("nothing to do; see --help").into()
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
