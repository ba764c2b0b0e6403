//! A spec in the form in which its getters can hand it out: every text is made once.

use rc_sv_api::{Error, Result, Spec, Value};
use std::collections::BTreeMap;
use std::ffi::{c_char, CStr, CString};

/// What a module sees of a spec. All pointers that the getters answer are valid as long as it is.
#[derive(Debug, Default)]
pub(crate) struct SpecHandle(BTreeMap<CString, Prepared>);

#[derive(Debug)]
enum Prepared {
    Text(CString),
    Int(i64),
    List(List),
}

#[derive(Debug)]
struct List {
    /// Points into `_texts`; ends with NULL.
    pointers: Box<[*const c_char]>,
    _texts: Box<[CString]>,
}

impl SpecHandle {
    /// Prepares `spec`.
    ///
    /// # Errors
    /// A name or a value contains a NUL byte.
    pub fn new(spec: &Spec) -> Result<SpecHandle> {
        let mut all = BTreeMap::new();
        for (name, value) in spec.iter() {
            let text = |bytes: &[u8]| {
                CString::new(bytes)
                    .map_err(|_| Error::invalid(format!("{name} contains a NUL byte")))
            };
            let prepared = match value {
                Value::Text(bytes) => Prepared::Text(text(bytes)?),
                Value::Int(number) => Prepared::Int(*number),
                Value::List(list) => {
                    let texts: Box<[CString]> = list
                        .iter()
                        .map(|bytes| text(bytes))
                        .collect::<Result<_>>()?;
                    let pointers = texts.iter().map(|text| text.as_ptr());
                    let pointers = pointers.chain([std::ptr::null()]).collect();
                    Prepared::List(List {
                        pointers,
                        _texts: texts,
                    })
                }
            };
            all.insert(text(name.as_bytes())?, prepared);
        }
        Ok(SpecHandle(all))
    }

    /// The text of `key`.
    pub fn text(&self, key: &CStr) -> Option<&CStr> {
        match self.0.get(key)? {
            Prepared::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The number of `key`.
    pub fn int(&self, key: &CStr) -> Option<i64> {
        match self.0.get(key)? {
            Prepared::Int(number) => Some(*number),
            _ => None,
        }
    }

    /// The list of `key`: its texts, and a NULL that is part of the slice.
    pub fn list(&self, key: &CStr) -> Option<&[*const c_char]> {
        match self.0.get(key)? {
            Prepared::List(list) => Some(&list.pointers),
            _ => None,
        }
    }

    /// The name after `previous`, the first for `None`.
    pub fn next(&self, previous: Option<&CStr>) -> Option<&CStr> {
        use std::ops::Bound::{Excluded, Unbounded};
        let after = previous.map_or(Unbounded, Excluded);
        let (name, _) = self.0.range::<CStr, _>((after, Unbounded)).next()?;
        Some(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn getters_answer_by_type_and_names_come_in_order() {
        let mut spec = Spec::default();
        spec.put("umask", Value::Int(18));
        spec.put("argv", Value::List(vec![b"/bin/x".to_vec(), Vec::new()]));
        spec.put("service", Value::Text(b"foo".to_vec()));
        spec.put("groups", Value::List(Vec::new()));
        let handle = SpecHandle::new(&spec).unwrap();
        assert_eq!(handle.text(c"service"), Some(c"foo"));
        assert_eq!(
            (handle.text(c"umask"), handle.int(c"umask")),
            (None, Some(18))
        );
        assert_eq!(
            (handle.int(c"service"), handle.int(c"absent")),
            (None, None)
        );
        let argv = handle.list(c"argv").unwrap();
        assert_eq!((argv.len(), argv[2].is_null()), (3, true));
        assert_eq!(
            handle.list(c"groups").unwrap().len(),
            1,
            "empty, not absent"
        );
        let mut names = Vec::new();
        let mut name = None;
        while let Some(next) = handle.next(name) {
            names.push(next.to_str().unwrap());
            name = Some(next);
        }
        assert_eq!(names, ["argv", "groups", "service", "umask"]);
        assert_eq!(
            handle.next(Some(c"b")),
            Some(c"groups"),
            "a foreign name has a place too"
        );
    }

    #[test]
    fn nul_bytes_are_refused() {
        let mut spec = Spec::default();
        spec.put("argv", Value::List(vec![b"a\0b".to_vec()]));
        assert_eq!(
            SpecHandle::new(&spec).unwrap_err().message,
            "argv contains a NUL byte"
        );
    }
}
