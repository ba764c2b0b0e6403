//! A spec as it stands in its file: found there by name, in two pieces of memory.

use rc_sv_api::{Settings, Spec};
use std::ops::Range;

/// The settings of a file.
pub struct Encoded {
    /// The file up to its trailer.
    bytes: Box<[u8]>,
    /// Sorted by name.
    entries: Box<[Entry]>,
}

struct Entry {
    name: Range<u32>,
    value: Form,
}

enum Form {
    Text(Range<u32>),
    Number(i64),
    /// So many items, each with its NUL.
    List(usize, Range<u32>),
}

impl Encoded {
    /// Of a file that has settings from `begin` on; `None` for anything that `encode` does not write.
    pub(super) fn new(bytes: Box<[u8]>, begin: usize) -> Option<Encoded> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut reader = Reader {
            bytes: &bytes,
            at: begin,
        };
        let mut last = "";
        while reader.at < bytes.len() {
            let kind = &bytes[reader.field()?];
            let name = reader.field()?;
            let text = std::str::from_utf8(&bytes[name.clone()]).ok()?;
            if text <= last {
                return None;
            }
            last = text;
            let value = match kind {
                b"t" => Form::Text(place(reader.field()?)?),
                b"n" => Form::Number(number(&bytes[reader.field()?])?),
                b"l" => {
                    let count = usize::try_from(number(&bytes[reader.field()?])?).ok()?;
                    let begin = reader.at;
                    for _ in 0..count {
                        reader.field()?;
                    }
                    Form::List(count, place(begin..reader.at)?)
                }
                _ => return None,
            };
            let name = place(name)?;
            entries.push(Entry { name, value });
        }
        let entries = entries.into();
        Some(Encoded { bytes, entries })
    }

    /// The same as a spec that can be changed.
    pub fn to_spec(&self) -> Spec {
        let settings: &dyn Settings = self;
        settings.to_spec()
    }

    fn find(&self, key: &str) -> Option<&Form> {
        let name = |entry: &Entry| self.at(&entry.name);
        let found = self
            .entries
            .binary_search_by(|entry| name(entry).cmp(key.as_bytes()));
        found.ok().map(|index| &self.entries[index].value)
    }

    fn at(&self, place: &Range<u32>) -> &[u8] {
        &self.bytes[place.start as usize..place.end as usize]
    }
}

impl Settings for Encoded {
    fn text(&self, key: &str) -> Option<&[u8]> {
        match self.find(key)? {
            Form::Text(place) => Some(self.at(place)),
            _ => None,
        }
    }

    fn int(&self, key: &str) -> Option<i64> {
        match self.find(key)? {
            Form::Number(number) => Some(*number),
            _ => None,
        }
    }

    fn list(&self, key: &str) -> Option<Vec<&[u8]>> {
        match self.find(key)? {
            Form::List(count, place) => {
                let items = self.at(place).split(|byte| *byte == 0);
                Some(items.take(*count).collect())
            }
            _ => None,
        }
    }

    fn keys(&self) -> Vec<&str> {
        let names = self.entries.iter().map(|entry| self.at(&entry.name));
        names
            .filter_map(|name| std::str::from_utf8(name).ok())
            .collect()
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    /// Where the next field is.
    fn field(&mut self) -> Option<Range<usize>> {
        let length = self.bytes[self.at..].iter().position(|byte| *byte == 0)?;
        let field = self.at..self.at + length;
        self.at = field.end + 1;
        Some(field)
    }
}

/// A number in the one way in which it is written.
fn number(text: &[u8]) -> Option<i64> {
    let number: i64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    (number.to_string().as_bytes() == text).then_some(number)
}

fn place(place: Range<usize>) -> Option<Range<u32>> {
    Some(place.start.try_into().ok()?..place.end.try_into().ok()?)
}
