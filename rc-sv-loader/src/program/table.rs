//! Aligned columns for people. Pure.

/// The rows with their columns aligned, two blanks apart; an empty cell is a dash. The last column
/// is not padded.
pub fn align<const COLUMNS: usize>(rows: &[[String; COLUMNS]]) -> String {
    let shown = |cell: &str| {
        if cell.is_empty() {
            "-".to_string()
        } else {
            cell.to_string()
        }
    };
    let mut widths = [0; COLUMNS];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = shown(cell).chars().count().max(*width);
        }
    }
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (width, cell) in widths.iter().zip(row) {
            line.push_str(&format!("{:<width$}  ", shown(cell)));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_nothing_trails() {
        let rows = [["größe", "up", ""], ["b", "", "x y"]].map(|row| row.map(String::from));
        assert_eq!(align(&rows), "größe  up  -\nb      -   x y\n");
        assert_eq!(align::<3>(&[]), "");
    }
}
