//! What the loader answers, in the structs of C.

use crate::constants::*;
use crate::types::{rc_sv_module, rc_sv_report};
use ::rc_sv_loader::loader::Listed;
use ::rc_sv_loader::reply::Description;
use ::rc_sv_loader::{Failure, Report, Standing};
use rc_sv_api::abi::constants::RC_SV_OK;
use rc_sv_api::abi::convert::{empty_status, put_text, status_to_raw};
use rc_sv_api::{Error, ServiceName, State, Status};
use std::mem::size_of;
use std::path::Path;

/// How a service stands.
pub(crate) fn report(report: &Report) -> rc_sv_report {
    let mut raw = empty_report(&report.service);
    raw.standing = standing(report.standing);
    put_text(
        &mut raw.module,
        report.module.as_deref().unwrap_or_default(),
    );
    raw.status = status_to_raw(&report.status);
    raw
}

/// That it could not be found out.
pub(crate) fn unknown(service: &ServiceName, failure: &Failure) -> rc_sv_report {
    let mut raw = empty_report(service);
    raw.standing = RC_SV_STANDING_CRASHED;
    raw.result = failure.error.code as i32;
    put_text(
        &mut raw.module,
        failure.module.as_deref().unwrap_or_default(),
    );
    raw.status = status_to_raw(&Status {
        detail: failure.to_string(),
        ..Status::of_state(State::Unknown)
    });
    raw
}

fn standing(standing: Standing) -> i32 {
    match standing {
        Standing::Up => RC_SV_STANDING_UP,
        Standing::Stopped => RC_SV_STANDING_STOPPED,
        Standing::Stopping => RC_SV_STANDING_STOPPING,
        Standing::Starting => RC_SV_STANDING_STARTING,
        Standing::Crashed => RC_SV_STANDING_CRASHED,
        Standing::Unsupervised => RC_SV_STANDING_UNSUPERVISED,
    }
}

fn empty_report(service: &ServiceName) -> rc_sv_report {
    let mut raw = rc_sv_report {
        struct_size: size_of::<rc_sv_report>() as u32,
        standing: 0,
        result: RC_SV_OK,
        reserved0: 0,
        module: [0; 48],
        service: [0; 240],
        status: empty_status(),
        reserved: [0; 10],
    };
    put_text(&mut raw.service, service.as_str());
    raw
}

/// A module that was loaded.
pub(crate) fn described(it: &Description) -> rc_sv_module {
    let mut raw = empty_module(&it.name, &it.path);
    raw.abi = it.abi;
    raw.caps = it.caps.0;
    put_text(&mut raw.version, &it.version);
    put_text(&mut raw.description, &it.text);
    match &it.present {
        Ok(caps) => raw.caps_now = caps.0,
        Err(error) => complain(&mut raw, error),
    }
    raw
}

/// A module that was only looked at.
pub(crate) fn listed(it: &Listed) -> rc_sv_module {
    let mut raw = empty_module(&it.name, &it.path);
    match &it.identity {
        Ok(identity) => {
            raw.abi = identity.abi;
            raw.caps = identity.caps.0;
        }
        Err(error) => complain(&mut raw, error),
    }
    raw
}

/// A directory that must not be used.
pub(crate) fn refused(error: &Error) -> rc_sv_module {
    let mut raw = empty_module("", Path::new(""));
    complain(&mut raw, error);
    raw
}

fn complain(raw: &mut rc_sv_module, error: &Error) {
    raw.result = error.code as i32;
    put_text(&mut raw.problem, &error.message);
}

fn empty_module(name: &str, path: &Path) -> rc_sv_module {
    let mut raw = rc_sv_module {
        struct_size: size_of::<rc_sv_module>() as u32,
        abi: 0,
        caps: 0,
        caps_now: 0,
        result: RC_SV_OK,
        reserved: 0,
        name: [0; 40],
        version: [0; 72],
        description: [0; 264],
        problem: [0; 232],
        path: [0; 384],
    };
    put_text(&mut raw.name, name);
    put_text(&mut raw.path, &path.to_string_lossy());
    raw
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standings_are_the_exit_codes_of_status() {
        for it in Standing::ALL {
            assert_eq!(standing(it), i32::from(it.exit_code()), "{it:?}");
        }
    }
}
