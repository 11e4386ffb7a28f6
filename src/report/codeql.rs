//! `primaryLocationLineHash`: the fingerprint by which GitHub follows an alert over commits.
//!
//! The hash of a line runs over the next 100 UTF-16 units that are no blanks, from the line's start on and over its
//! end; it is a polynomial in 37 over 64-bit integers that wrap. Line breaks count as one `\n`, the end of the file as
//! 65535, what is missing after it as 0. A hash that was seen before in the file gets the next number.

use std::collections::HashMap;

const WINDOW: usize = 100;
const BASE: u64 = 37;
const END_OF_FILE: u16 = 65535;

/// The rolling window over a file.
struct Roller<'a> {
    units: [u16; WINDOW],
    /// The line that starts with the unit at the same place.
    starts: [Option<u32>; WINDOW],
    at: usize,
    hash: u64,
    /// `BASE` to the power of `WINDOW`: what a unit weighs when it leaves.
    leaving: u64,
    line: u32,
    seen: HashMap<u64, u32>,
    wanted: &'a [u32],
    found: HashMap<u32, String>,
}

/// The fingerprints of the lines `wanted` (sorted, from 1) of a file.
pub(super) fn line_hashes(text: &str, wanted: &[u32]) -> HashMap<u32, String> {
    let leaving = (0..WINDOW).fold(1_u64, |power, _| power.wrapping_mul(BASE));
    let mut roller = Roller {
        units: [0; WINDOW],
        starts: [None; WINDOW],
        at: 0,
        hash: 0,
        leaving,
        line: 0,
        seen: HashMap::new(),
        wanted,
        found: HashMap::new(),
    };
    let (mut line_start, mut after_return) = (true, false);
    for unit in text.encode_utf16().chain([END_OF_FILE]) {
        let follows_return = std::mem::replace(&mut after_return, false);
        let unit = match unit {
            0x20 | 0x09 => continue,
            0x0A if follows_return => continue,
            0x0D => {
                after_return = true;
                0x0A
            }
            unit => unit,
        };
        roller.close();
        if roller.done() {
            return roller.found;
        }
        if line_start {
            roller.open();
        }
        line_start = unit == 0x0A;
        roller.push(unit);
    }
    for _ in 0..WINDOW {
        roller.close();
        roller.push(0);
    }
    roller.found
}

impl Roller<'_> {
    /// Whether every wanted line has its hash; those come in the order of lines.
    fn done(&self) -> bool {
        self.found.len() == self.wanted.len()
    }

    /// A line starts with the unit that comes next.
    fn open(&mut self) {
        self.line = self.line.saturating_add(1);
        self.starts[self.at] = Some(self.line);
    }

    /// The window is full for the line whose first unit leaves next, if one does.
    fn close(&mut self) {
        let Some(line) = self.starts[self.at].take() else { return };
        let times = self.seen.entry(self.hash).or_insert(0);
        *times += 1;
        if self.wanted.binary_search(&line).is_ok() {
            self.found.insert(line, format!("{:x}:{times}", self.hash));
        }
    }

    fn push(&mut self, unit: u16) {
        let gone = std::mem::replace(&mut self.units[self.at], unit);
        let weight = self.leaving.wrapping_mul(u64::from(gone));
        self.hash = self.hash.wrapping_mul(BASE).wrapping_add(u64::from(unit)).wrapping_sub(weight);
        self.at = (self.at + 1) % WINDOW;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hashes(text: &str) -> Vec<String> {
        let lines: Vec<u32> = (1..=u32::try_from(text.lines().count()).unwrap() + 2).collect();
        let mut found: Vec<(u32, String)> = line_hashes(text, &lines).into_iter().collect();
        found.sort();
        found.into_iter().map(|(_, hash)| hash).collect()
    }

    // What GitHub's own action computes for these texts.
    #[test]
    fn equals_the_published_algorithm() {
        assert_eq!(hashes(""), ["c129715d7a2bc9a3:1"]);
        let mixed = "owner = \"dba\"\r\n\r\n\tstate\rdisk 😀\n";
        let expected = [
            "130d715b027a11a3:1",
            "1b9c8087107ace62:1",
            "57e6d7f629f41c0:1",
            "c7a09cb603644219:1",
            "c129715d7a2bc9a3:1",
        ];
        assert_eq!(hashes(mixed), expected);
        let repeated = hashes(&"x = 1\n".repeat(60));
        assert_eq!(repeated.len(), 61);
        assert_eq!(repeated[..2], ["ca3e9a077b09da0c:1", "ca3e9a077b09da0c:2"]);
        assert_eq!(repeated[58..], ["87c133c3324ef59b:1", "8e00d41f0ebba6bf:1", "c129715d7a2bc9a3:1"]);
    }

    #[test]
    fn one_line_is_the_same_alone() {
        let text = "x = 1\n".repeat(400);
        assert_eq!(line_hashes(&text, &[7]).get(&7), hashes(&text).get(6));
        assert!(line_hashes(&text, &[9000]).is_empty());
    }
}
