//! What a start would do.

use super::{Failure, Result, Services};
use crate::draft::Draft;
use rc_sv_api::{Caps, Code, Error, Outcome, Request, Value};
use std::path::PathBuf;

/// The module that would have a service. What it would do, it has logged, at the level "info".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// Its name.
    pub module: String,
    /// Its file.
    pub file: PathBuf,
    /// OpenRC would start the service, and the module would watch it.
    pub watches: bool,
}

impl Services {
    /// Everything that a start of the service of `draft` does before anything is changed.
    /// `has_own_start` says that the runscript starts it by itself. With `words` the module tells,
    /// in its log too, what would become of a service that does as they say.
    ///
    /// # Errors
    /// Those of [`Services::start`] and [`Services::attach`], as far as they can be known, and
    /// [`Code::Unsupported`] where the module cannot simulate.
    pub fn check(
        &self,
        draft: &Draft,
        has_own_start: bool,
        words: Option<&str>,
    ) -> Result<Checked> {
        let service = draft.service();
        let (name, mut spec) = self.configured(draft)?;
        let of = |error: Error| Failure::of(&name, error);
        self.capture(draft, &mut spec).map_err(of)?;
        if let Some(words) = words {
            spec.put("simulate", Value::Text(words.into()));
        }
        self.recorded_for(service, &name)?;
        let mut module = self.loader.open(&name).map_err(of)?;
        let request = Request {
            dry_run: true,
            ..Request::default()
        };
        let can_watch = module.caps().has(Caps::MONITORS);
        let outcome = if has_own_start || (draft.forks() && can_watch) {
            Outcome::Delegate
        } else {
            self.check_supervised(&mut module, &spec, service)
                .map_err(of)?;
            module.start(&spec, &request).map_err(of)?
        };
        let watches = outcome == Outcome::Delegate;
        if watches && !can_watch {
            let what =
                "the service starts itself, and this module only watches what it has started";
            return Err(of(Error::new(Code::Unsupported, what)));
        }
        if watches {
            module.attach(&spec, &request).map_err(of)?;
        }
        Ok(Checked {
            file: module.path().to_path_buf(),
            module: name,
            watches,
        })
    }
}
