//! The parts of which our manual pages are made.

use roff::{bold, roman, Inline, Roff};

/// The date of the pages is that of the release, so that they can be compared.
const DATE: &str = "2026-11-22";

/// A manual page in the making.
pub(super) struct Page(Roff);

impl Page {
    /// The beginning of `name`(`section`), with its one line.
    pub(super) fn new(name: &str, section: &str, what: &str) -> Page {
        let mut page = Page(Roff::new());
        let source = format!("rc-sv {}", env!("CARGO_PKG_VERSION"));
        page.0
            .control("TH", [name, section, DATE, source.as_str(), "rc-sv"]);
        page.section("NAME");
        page.0.text([roman(format!("{name} - {what}"))]);
        page
    }

    /// A headline.
    pub(super) fn section(&mut self, title: &str) {
        self.0.control("SH", [title]);
    }

    /// A headline below that.
    pub(super) fn subsection(&mut self, title: &str) {
        self.0.control("SS", [title]);
    }

    /// A paragraph; what is between two asterisks is bold.
    pub(super) fn text(&mut self, text: impl AsRef<str>) {
        self.0.control("PP", []);
        self.0.text(inlines(text.as_ref()));
    }

    /// A term and what it means.
    pub(super) fn term(&mut self, term: &str, text: &str) {
        self.0.control("TP", []);
        self.0.text([bold(term)]);
        self.0.text(inlines(text));
    }

    /// A further paragraph of the last term.
    pub(super) fn more(&mut self, text: &str) {
        self.0.control("br", []);
        self.0.text(inlines(text));
    }

    /// Lines as they are.
    pub(super) fn example(&mut self, lines: &str) {
        self.0.control("PP", []);
        self.0.control("RS", ["4"]);
        self.0.control("nf", []);
        for line in lines.lines() {
            self.0.text([roman(line)]);
        }
        self.0.control("fi", []);
        self.0.control("RE", []);
    }

    /// The page.
    pub(super) fn render(&self) -> String {
        self.0.render()
    }
}

fn inlines(text: &str) -> Vec<Inline> {
    let parts = text.split('*').enumerate();
    parts
        .map(|(index, part)| {
            if index % 2 == 1 {
                bold(part)
            } else {
                roman(part)
            }
        })
        .collect()
}
