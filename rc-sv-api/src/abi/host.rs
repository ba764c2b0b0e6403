//! The host as a module in Rust sees it.
#![allow(unsafe_code)]

use super::constants::{
    RC_SV_CMD_MERGE_STDERR, RC_SV_OK, RC_SV_OUT_TIMED_OUT, RC_SV_OUT_TRUNCATED,
};
use super::foreign::ForeignSpec;
use super::types::{rc_sv_cmd, rc_sv_host, rc_sv_output};
use super::{convert, sizes};
use crate::error::{Code, Error, Result};
use crate::event::Event;
use crate::exit::Exit;
use crate::spec::Settings;
use std::ffi::{c_char, CString};
use std::mem::size_of;
use std::time::Duration;

/// The host of an opened backend. Lives longer than the backend.
#[derive(Clone, Copy)]
pub struct Host {
    /// Never read as a whole: an older host's is shorter.
    pub(super) raw: *const rc_sv_host,
}

// SAFETY: the ABI allows calls on an instance from different threads one after the other, and the
// host's slots from the thread that is inside such a call; a `Host` is only used in there.
unsafe impl Send for Host {}

/// A command that the host runs for a module.
#[derive(Clone, Debug, Default)]
pub struct HostCommand {
    /// The program, an absolute path, and its arguments.
    pub argv: Vec<Vec<u8>>,
    /// Bytes for its standard input.
    pub input: Vec<u8>,
    /// Whether standard error goes where standard output goes.
    pub merge_stderr: bool,
    /// After this long it is killed; `None` is 10 s.
    pub timeout: Option<Duration>,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostOutput {
    /// How it ended.
    pub exit: Exit,
    /// What it wrote, at most 4 KiB.
    pub bytes: Vec<u8>,
    /// Whether it wrote more.
    pub truncated: bool,
}

impl Host {
    /// The host behind `raw`.
    ///
    /// # Safety
    /// `raw` is a host's table whose `struct_size` is true, valid as long as this value is used.
    pub(super) unsafe fn new(raw: *const rc_sv_host) -> Result<Host> {
        // SAFETY: not NULL, and by the contract valid; the first word is always there.
        if raw.is_null() || (unsafe { (*raw).struct_size } as usize) < sizes::HOST {
            return Err(Error::new(
                Code::Abi,
                "the host's table is shorter than that of ABI 1.0",
            ));
        }
        Ok(Host { raw })
    }

    /// Logs one line; `level` is that of syslog(3).
    pub fn log(&self, level: i32, message: &str) {
        let Ok(message) = CString::new(message.replace('\0', " ")) else {
            return;
        };
        // SAFETY: the table has this slot and the text lives during the call.
        unsafe {
            if let Some(log) = (*self.raw).log {
                log(self.raw, level, message.as_ptr());
            }
        }
    }

    /// The module's own section in the host's configuration.
    pub fn settings(&self) -> impl Settings + '_ {
        // SAFETY: NULL names the module's own section.
        unsafe { ForeignSpec::new(self, std::ptr::null()) }
    }

    /// Tells the host of an event.
    pub fn emit(&self, event: &Event) {
        // SAFETY: the table has this slot and the event lives during the call.
        unsafe {
            if let Some(emit) = (*self.raw).emit {
                emit(self.raw, &convert::event_to_raw(event));
            }
        }
    }

    /// Runs a command and waits for it.
    ///
    /// # Errors
    /// It could not be run, or its time-out passed. Its own failure is no error.
    pub fn run(&self, command: &HostCommand) -> Result<HostOutput> {
        let refused = |_| Error::invalid("an argument of a command contains a NUL byte");
        let argv: Vec<CString> = command
            .argv
            .iter()
            .map(|word| CString::new(word.as_slice()).map_err(refused))
            .collect::<Result<_>>()?;
        let mut pointers: Vec<*const c_char> = argv.iter().map(|word| word.as_ptr()).collect();
        pointers.push(std::ptr::null());
        let mut buffer = vec![0u8; 4096];
        let raw = rc_sv_cmd {
            struct_size: size_of::<rc_sv_cmd>() as u32,
            flags: if command.merge_stderr {
                RC_SV_CMD_MERGE_STDERR
            } else {
                0
            },
            argv: pointers.as_ptr(),
            envp: std::ptr::null(),
            cwd: std::ptr::null(),
            input: command.input.as_ptr().cast(),
            input_len: command.input.len(),
            timeout_ms: command.timeout.map_or(0, |timeout| {
                u32::try_from(timeout.as_millis())
                    .unwrap_or(u32::MAX)
                    .max(1)
            }),
            reserved: 0,
        };
        let mut output = rc_sv_output {
            struct_size: size_of::<rc_sv_output>() as u32,
            flags: 0,
            wait_status: 0,
            reserved: 0,
            buf: buffer.as_mut_ptr().cast(),
            cap: buffer.len(),
            len: 0,
        };
        let mut error = convert::empty_error();
        // SAFETY: the table has this slot.
        let Some(run) = (unsafe { (*self.raw).run }) else {
            return Err(Error::new(Code::Unsupported, "the host runs no commands"));
        };
        // SAFETY: the table is valid; everything pointed to lives until the call returns.
        let result = unsafe { run(self.raw, &raw, &mut output, &mut error) };
        if result != RC_SV_OK {
            return Err(convert::error_from_raw(result, &error, "running a command"));
        }
        if output.flags & RC_SV_OUT_TIMED_OUT != 0 {
            return Err(Error::new(Code::Timeout, "a command did not end in time"));
        }
        buffer.truncate(output.len.min(output.cap));
        Ok(HostOutput {
            exit: Exit::from_wait_status(output.wait_status),
            bytes: buffer,
            truncated: output.flags & RC_SV_OUT_TRUNCATED != 0,
        })
    }
}
