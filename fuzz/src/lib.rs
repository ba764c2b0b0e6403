//! What every fuzz target asserts, besides that nothing panics.

mod allocation;

pub use allocation::bounded;

/// Asserts that `text` is one line for people, which no terminal takes for something else.
#[track_caller]
pub fn one_line(text: &str) {
    assert!(!text.is_empty(), "no word about it");
    assert!(!text.contains(char::is_control), "no line: {text:?}");
}
