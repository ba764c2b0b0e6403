//! `run`: a command for a module.
#![allow(unsafe_code)]

use crate::capture;
use crate::config::Variables;
use crate::run::{self, Command};
use rc_sv_api::abi::constants::*;
use rc_sv_api::abi::types::*;
use rc_sv_api::abi::{convert, foreign, sizes};
use rc_sv_api::{Code, Error, Result};
use std::ffi::{c_char, CStr, CString};
use std::mem::size_of;
use std::ptr;
use std::time::Duration;

/// The time of a command whose module gave none; part of the ABI.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// Runs `command` and fills `output` or `error`.
///
/// # Safety
/// Called by a module, with structs whose sizes are true and whose pointers are as documented.
pub(super) unsafe extern "C" fn run(
    _host: *const rc_sv_host,
    command: *const rc_sv_cmd,
    output: *mut rc_sv_output,
    error: *mut rc_sv_error,
) -> rc_sv_result {
    // SAFETY: a module hands in structs whose sizes are true and whose pointers are as documented.
    match unsafe { run_command(command, output) } {
        Ok(true) => RC_SV_OK,
        Ok(false) => {
            let timeout = Error::new(
                Code::Timeout,
                "a command did not end in time and was killed",
            );
            // SAFETY: `error` is NULL or the module's.
            unsafe { report(&timeout, error) }
        }
        // SAFETY: as above.
        Err(failure) => unsafe { report(&failure, error) },
    }
}

/// Runs the command; whether it ended by itself.
///
/// # Safety
/// As for [`run`].
unsafe fn run_command(command: *const rc_sv_cmd, output: *mut rc_sv_output) -> Result<bool> {
    // SAFETY: by the contract; `struct_size` says how much of each struct there is.
    unsafe {
        let command = foreign::command(command)?;
        if output.is_null() || ((*output).struct_size as usize) < sizes::OUTPUT {
            return Err(Error::invalid("run: the output is NULL or too short"));
        }
        let argv = texts(command.argv);
        if !argv
            .first()
            .is_some_and(|program| program.to_bytes().starts_with(b"/"))
        {
            return Err(Error::invalid("run: argv[0] must be an absolute path"));
        }
        let environment = match command.envp.is_null() {
            false => texts(command.envp),
            // What a service loads into its daemon is not for the tools of a supervisor, some of
            // which outlive the service.
            true => capture::environment(&Variables::of_process())
                .into_iter()
                .filter(|line| !line.starts_with(b"LD_"))
                .filter_map(|line| CString::new(line).ok())
                .collect(),
        };
        let input = match command.input.is_null() {
            true => &[][..],
            false => std::slice::from_raw_parts(command.input.cast::<u8>(), command.input_len),
        };
        let most = if (*output).buf.is_null() {
            0
        } else {
            (*output).cap
        };
        let ran = run::run(
            &Command {
                argv: &argv,
                environment: &environment,
                directory: match command.cwd.is_null() {
                    true => c"/",
                    false => CStr::from_ptr(command.cwd),
                },
                input,
                merge_stderr: command.flags & RC_SV_CMD_MERGE_STDERR != 0,
                timeout: match command.timeout_ms {
                    0 => DEFAULT_TIMEOUT,
                    millis => Duration::from_millis(millis.into()),
                },
            },
            most,
        )?;
        let flag = |on: bool, bit: u32| if on { bit } else { 0 };
        (*output).flags =
            flag(ran.truncated, RC_SV_OUT_TRUNCATED) | flag(ran.timed_out, RC_SV_OUT_TIMED_OUT);
        (*output).wait_status = ran.wait_status;
        (*output).len = ran.output.len();
        if !ran.output.is_empty() {
            ptr::copy_nonoverlapping(ran.output.as_ptr(), (*output).buf.cast(), ran.output.len());
        }
        Ok(!ran.timed_out)
    }
}

/// Copies of the texts of a list that ends with NULL; none for NULL.
///
/// # Safety
/// `list` is NULL, or ends with NULL and points to NUL-terminated texts.
unsafe fn texts(mut list: *const *const c_char) -> Vec<CString> {
    let mut texts = Vec::new();
    // SAFETY: by the contract; nothing behind the NULL is read.
    unsafe {
        while !list.is_null() && !(*list).is_null() {
            texts.push(CStr::from_ptr(*list).to_owned());
            list = list.add(1);
        }
    }
    texts
}

/// Fills `error`, as far as the module has room for it.
///
/// # Safety
/// `error` is NULL or points to as many bytes as its `struct_size` says.
unsafe fn report(failure: &Error, error: *mut rc_sv_error) -> rc_sv_result {
    // SAFETY: by the contract.
    unsafe {
        if !error.is_null() && (*error).struct_size as usize >= size_of::<rc_sv_error>() {
            *error = convert::error_to_raw(failure);
        }
    }
    failure.code as rc_sv_result
}
