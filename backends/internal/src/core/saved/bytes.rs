//! What is kept, a value at a time.

use super::super::state::{Part, State};
use rc_sv_api::exit::Exit;

/// The longest text, in bytes.
const TEXT: usize = 255;

const PARTS: [Part; 3] = [Part::Sweep, Part::Hook, Part::KilledHook];

pub(super) fn index<T: PartialEq>(all: &[T], one: &T) -> u8 {
    all.iter().position(|known| known == one).unwrap_or(0) as u8
}

pub(super) fn put_state(bytes: &mut Vec<u8>, state: State) {
    let (kind, detail) = match state {
        State::Down => (0, 0),
        State::Waiting { .. } => (1, 0),
        State::Starting { .. } => (2, 0),
        State::Up => (3, 0),
        State::Leaving { .. } => (4, 0),
        State::Stopping { rung: None, .. } => (5, 0),
        State::Stopping {
            rung: Some(rung), ..
        } => (6, rung),
        State::Finishing { part, .. } => (7, index(&PARTS, &part)),
        State::Failed { .. } => (8, 0),
        State::Stuck => (9, 0),
    };
    bytes.extend([kind, detail]);
    put_time(bytes, state.until());
}

pub(super) fn put_time(bytes: &mut Vec<u8>, time: Option<u64>) {
    bytes.push(u8::from(time.is_some()));
    bytes.extend(time.unwrap_or(0).to_le_bytes());
}

pub(super) fn put_exit(bytes: &mut Vec<u8>, exit: Option<Exit>) {
    let (kind, value) = match exit {
        None => (0, 0),
        Some(Exit::Code(code)) => (1, i32::from(code)),
        Some(Exit::Signal(number)) => (2, i32::from(number)),
        Some(Exit::Dumped(number)) => (3, i32::from(number)),
        Some(Exit::NotRun(errno)) => (4, errno),
        Some(Exit::Unknown) => (5, 0),
    };
    bytes.push(kind);
    bytes.extend(value.to_le_bytes());
}

/// Longer ones are cut where a character ends.
pub(super) fn put_text(bytes: &mut Vec<u8>, text: Option<&str>) {
    bytes.push(u8::from(text.is_some()));
    let text = text.unwrap_or_default();
    let end = (0..=text.len().min(TEXT)).rfind(|at| text.is_char_boundary(*at));
    let text = &text[..end.unwrap_or(0)];
    bytes.push(text.len() as u8);
    bytes.extend(text.as_bytes());
}

/// Takes what was kept. `None`: it is not of this form.
pub(super) struct Reader<'a>(pub &'a [u8]);

impl Reader<'_> {
    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        self.array().map(|[byte]| byte)
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// `Some(None)`: there is none.
    pub(super) fn given<T>(
        &mut self,
        value: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Option<Option<T>> {
        let is_given = match self.byte()? {
            0 => false,
            1 => true,
            _ => return None,
        };
        let value = value(self)?;
        Some(is_given.then_some(value))
    }

    pub(super) fn time(&mut self) -> Option<Option<u64>> {
        self.given(Reader::u64)
    }

    pub(super) fn text(&mut self) -> Option<Option<Box<str>>> {
        self.given(|reader| {
            let length = usize::from(reader.byte()?);
            let (taken, rest) = reader.0.split_at_checked(length)?;
            reader.0 = rest;
            let text = std::str::from_utf8(taken).ok()?;
            (!text.contains(char::is_control)).then(|| text.into())
        })
    }

    pub(super) fn exit(&mut self) -> Option<Option<Exit>> {
        let (kind, value) = (self.byte()?, self.u32()? as i32);
        let byte = || u8::try_from(value).ok();
        Some(Some(match kind {
            0 => return Some(None),
            1 => Exit::Code(byte()?),
            2 => Exit::Signal(byte()?),
            3 => Exit::Dumped(byte()?),
            4 => Exit::NotRun(value),
            5 => Exit::Unknown,
            _ => return None,
        }))
    }

    pub(super) fn one_of<T: Copy>(&mut self, all: &[T]) -> Option<T> {
        all.get(usize::from(self.byte()?)).copied()
    }

    pub(super) fn state(&mut self) -> Option<State> {
        let (kind, detail, until) = (self.byte()?, self.byte()?, self.time()?);
        Some(match (kind, until) {
            (0, None) => State::Down,
            (1, Some(until)) => State::Waiting { until },
            (2, Some(until)) => State::Starting { until },
            (3, None) => State::Up,
            (4, Some(until)) => State::Leaving { until },
            (5, Some(until)) => State::Stopping { rung: None, until },
            (6, Some(until)) => State::Stopping {
                rung: Some(detail),
                until,
            },
            (7, Some(until)) => State::Finishing {
                part: *PARTS.get(usize::from(detail))?,
                until,
            },
            (8, until) => State::Failed { until },
            (9, None) => State::Stuck,
            _ => return None,
        })
    }
}
