//! A control file as words, as far as monit's keywords can be told from what is quoted.

/// One word of a control file.
pub struct Word {
    /// Without its quotes.
    pub text: String,
    /// Whether it had any: then it is no keyword.
    pub quoted: bool,
    /// Its line, from 1.
    pub line: usize,
}

impl Word {
    /// Whether it is this keyword; monit's have no case.
    pub fn is(&self, keyword: &str) -> bool {
        !self.quoted && self.text.eq_ignore_ascii_case(keyword)
    }
}

impl std::fmt::Display for Word {
    /// In one line.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.text.replace(char::is_control, "?"))
    }
}

/// Words and quoted texts; comments and punctuation are left out.
///
/// # Errors
/// The line of a quote that is not closed.
pub fn words(text: &[u8]) -> std::result::Result<Vec<Word>, usize> {
    let mut words: Vec<Word> = Vec::new();
    let mut line = 1;
    let mut bytes = text.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\n' => line += 1,
            b'#' => while bytes.next_if(|byte| *byte != b'\n').is_some() {},
            b'"' | b'\'' => {
                let begun = line;
                let mut quoted = Vec::new();
                loop {
                    match bytes.next() {
                        None => return Err(begun),
                        Some(end) if end == byte => break,
                        Some(inside) => {
                            line += usize::from(inside == b'\n');
                            quoted.push(inside);
                        }
                    }
                }
                words.push(Word {
                    text: String::from_utf8_lossy(&quoted).trim().to_string(),
                    quoted: true,
                    line: begun,
                });
            }
            _ if is_part(byte) => {
                let mut bare = vec![byte];
                while let Some(next) = bytes.next_if(|byte| is_part(*byte)) {
                    bare.push(next);
                }
                words.push(Word {
                    text: String::from_utf8_lossy(&bare).into_owned(),
                    quoted: false,
                    line,
                });
            }
            _ => {}
        }
    }
    Ok(words)
}

fn is_part(byte: u8) -> bool {
    !byte.is_ascii_whitespace() && !b"\"'#{}(),;=<>!".contains(&byte)
}
