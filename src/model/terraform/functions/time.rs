//! Moments (RFC 3339), durations, and how `formatdate` writes them.

use super::{Args, Returned, Stop, text};
use crate::value::Value;
use std::fmt::Write as _;

pub(super) fn call(name: &str, args: &Args<'_>) -> Option<Returned> {
    Some(match name {
        "formatdate" => args.text(1).and_then(|moment| formatted(&args.text(0)?, &Moment::parse(&moment)?)),
        "timeadd" => added(args),
        "timecmp" => compared(args),
        _ => return None,
    })
}

/// Nanoseconds in a second.
const SECOND: i128 = 1_000_000_000;
const DAY: i128 = 86_400 * SECOND;

/// A moment and the offset in which it was written.
struct Moment {
    /// Nanoseconds since 1970 in UTC.
    since: i128,
    /// Seconds east of UTC.
    offset: i32,
}

/// A moment on the clocks and calendars at its offset.
struct Local {
    year: i64,
    month: usize,
    day: u32,
    /// From Sunday on.
    weekday: usize,
    hour: u32,
    minute: u32,
    second: u32,
}

/// The number that some digits make.
fn number(text: &str, from: usize, to: usize) -> Option<u32> {
    text.get(from..to).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?.parse().ok()
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && year % 100 != 0 || year % 400 == 0
}

fn month_days(year: i64, month: u32) -> u32 {
    match month {
        2 => 28 + u32::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 to a date: years are counted from March, so that the day that leaps comes last.
fn days(year: i64, month: u32, day: u32) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let before = 365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    before + (153 * i64::from(month) + 2) / 5 + i64::from(day) - 719_469
}

impl Moment {
    fn parse(text: &str) -> Result<Self, Stop> {
        Self::read(text).ok_or_else(|| Stop::Error(format!("`{text}` is no moment (2006-01-02T15:04:05Z)").into()))
    }

    fn read(text: &str) -> Option<Self> {
        let signs = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
        if signs.iter().any(|(at, sign)| text.as_bytes().get(*at) != Some(sign)) {
            return None;
        }
        let (year, month, day) = (i64::from(number(text, 0, 4)?), number(text, 5, 7)?, number(text, 8, 10)?);
        let (hour, minute, second) = (number(text, 11, 13)?, number(text, 14, 16)?, number(text, 17, 19)?);
        let fits = (1..=12).contains(&month) && (1..=month_days(year, month)).contains(&day);
        if !fits || hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let mut rest = text.get(19..)?;
        let mut fraction = 0;
        if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(|c: char| !c.is_ascii_digit()).filter(|end| *end > 0)?;
            let digits: String = after.get(..end)?.chars().chain("000000000".chars()).take(9).collect();
            fraction = digits.parse().ok()?;
            rest = after.get(end..)?;
        }
        let offset = match (rest, rest.as_bytes().first(), rest.as_bytes().get(3)) {
            ("Z", ..) => 0,
            (_, Some(sign @ (b'+' | b'-')), Some(b':')) if rest.len() == 6 => {
                let (hours, minutes) = (number(rest, 1, 3)?, number(rest, 4, 6)?);
                let seconds = i32::try_from(hours * 3600 + minutes * 60).ok().filter(|_| hours < 24 && minutes < 60)?;
                if *sign == b'-' { -seconds } else { seconds }
            }
            _ => return None,
        };
        let clock = i128::from(hour * 3600 + minute * 60 + second);
        let local = i128::from(days(year, month, day)) * DAY + clock * SECOND + fraction;
        Some(Self { since: local - i128::from(offset) * SECOND, offset })
    }

    fn local(&self) -> Option<Local> {
        let local = self.since + i128::from(self.offset) * SECOND;
        let day_number = i64::try_from(local.div_euclid(DAY)).ok()?;
        let clock = u32::try_from(local.rem_euclid(DAY) / SECOND).ok()?;
        // A guess that is never too late.
        let mut year = 1970 + day_number.div_euclid(if day_number < 0 { 365 } else { 366 });
        while days(year + 1, 1, 1) <= day_number {
            year += 1;
        }
        let mut month = 1;
        while month < 12 && days(year, month + 1, 1) <= day_number {
            month += 1;
        }
        Some(Local {
            year,
            month: usize::try_from(month).ok()?,
            day: u32::try_from(day_number - days(year, month, 1) + 1).ok()?,
            weekday: usize::try_from((day_number + 4).rem_euclid(7)).ok()?,
            hour: clock / 3600,
            minute: clock / 60 % 60,
            second: clock % 60,
        })
    }

    /// The offset with or without a colon.
    fn zone(&self, colon: &str) -> String {
        let minutes = self.offset.abs() / 60;
        let sign = if self.offset < 0 { '-' } else { '+' };
        format!("{sign}{:02}{colon}{:02}", minutes / 60, minutes % 60)
    }

    fn written(&self) -> Option<String> {
        let at = self.local().filter(|at| (0..=9999).contains(&at.year))?;
        let zone = if self.offset == 0 { "Z".to_owned() } else { self.zone(":") };
        let Local { year, month, day, hour, minute, second, .. } = at;
        Some(format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{zone}"))
    }
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// One run of a letter, or quoted text, put out.
fn formatted(format: &str, moment: &Moment) -> Returned {
    let at = moment.local().ok_or("the date lies too far away")?;
    let mut out = String::new();
    let mut rest = format;
    while let Some(first) = rest.chars().next() {
        if first == '\'' {
            rest = quoted(rest, &mut out).ok_or("a quotation in the format is not closed")?;
            continue;
        }
        let length = rest.find(|c| c != first).unwrap_or(rest.len());
        let (run, after) = rest.split_at(length);
        if first.is_ascii_alphabetic() {
            field(run, moment, &at, &mut out)?;
        } else {
            out.push_str(run);
        }
        rest = after;
    }
    Ok(text(&out))
}

/// Text in single quotes, a doubled one standing for itself; what follows it.
fn quoted<'a>(rest: &'a str, out: &mut String) -> Option<&'a str> {
    let mut rest = rest.strip_prefix('\'')?;
    let start = out.len();
    loop {
        let (before, after) = rest.split_once('\'')?;
        out.push_str(before);
        let Some(again) = after.strip_prefix('\'') else {
            // Nothing in quotes is a quote.
            out.push_str(if out.len() == start { "'" } else { "" });
            return Some(after);
        };
        out.push('\'');
        rest = again;
    }
}

fn field(run: &str, moment: &Moment, at: &Local, out: &mut String) -> Result<(), Stop> {
    let month = MONTHS.get(at.month.wrapping_sub(1)).copied().unwrap_or("");
    let weekday = WEEKDAYS.get(at.weekday).copied().unwrap_or("");
    let twelve = (at.hour + 11) % 12 + 1;
    let half = if at.hour < 12 { "AM" } else { "PM" };
    let written = match run {
        "YYYY" => write!(out, "{:04}", at.year),
        "YY" => write!(out, "{:02}", at.year.rem_euclid(100)),
        "MMMM" => write!(out, "{month}"),
        "MMM" => write!(out, "{month:.3}"),
        "MM" => write!(out, "{:02}", at.month),
        "M" => write!(out, "{}", at.month),
        "DD" => write!(out, "{:02}", at.day),
        "D" => write!(out, "{}", at.day),
        "EEEE" => write!(out, "{weekday}"),
        "EEE" => write!(out, "{weekday:.3}"),
        "hh" => write!(out, "{:02}", at.hour),
        "h" => write!(out, "{}", at.hour),
        "HH" => write!(out, "{twelve:02}"),
        "H" => write!(out, "{twelve}"),
        "AA" => write!(out, "{half}"),
        "aa" => write!(out, "{}", half.to_lowercase()),
        "mm" => write!(out, "{:02}", at.minute),
        "m" => write!(out, "{}", at.minute),
        "ss" => write!(out, "{:02}", at.second),
        "s" => write!(out, "{}", at.second),
        "Z" if moment.offset == 0 => write!(out, "Z"),
        "ZZZ" if moment.offset == 0 => write!(out, "UTC"),
        "Z" | "ZZZZZ" => write!(out, "{}", moment.zone(":")),
        "ZZZ" | "ZZZZ" => write!(out, "{}", moment.zone("")),
        _ => return Err(format!("formatdate() does not know `{run}`").into()),
    };
    written.map_err(|_| Stop::Error("it cannot be written".into()))
}

/// A duration in nanoseconds: `1h30m`, `-1.5s`.
fn duration(text: &str) -> Option<i128> {
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(0);
    }
    let mut total: i128 = 0;
    let mut first = true;
    while !rest.is_empty() || first {
        first = false;
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (amount, after) = rest.split_at(end);
        let unit_end = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_end);
        let unit: i128 = match unit {
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => SECOND,
            "m" => 60 * SECOND,
            "h" => 3600 * SECOND,
            _ => return None,
        };
        let (whole, fraction) = amount.split_once('.').unwrap_or((amount, ""));
        if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
            return None;
        }
        let whole: i128 = if whole.is_empty() { 0 } else { i128::from(whole.parse::<i64>().ok()?) };
        let digits = fraction.get(..fraction.len().min(15))?;
        let part: i128 = if digits.is_empty() { 0 } else { digits.parse().ok()? };
        total += whole * unit + part * unit / 10_i128.pow(u32::try_from(digits.len()).ok()?);
        // Go keeps durations in 64 bits.
        i64::try_from(total).ok()?;
        rest = after;
    }
    Some(if negative { -total } else { total })
}

fn added(args: &Args<'_>) -> Returned {
    let moment = Moment::parse(&args.text(0)?)?;
    let duration = duration(&args.text(1)?).ok_or("it is no duration (`1h30m`)")?;
    let moved = Moment { since: moment.since + duration, ..moment };
    Ok(text(&moved.written().ok_or("the date lies too far away")?))
}

fn compared(args: &Args<'_>) -> Returned {
    let (a, b) = (Moment::parse(&args.text(0)?)?, Moment::parse(&args.text(1)?)?);
    Ok(Value::known(match a.since.cmp(&b.since) {
        std::cmp::Ordering::Less => -1.0,
        std::cmp::Ordering::Equal => 0.0,
        std::cmp::Ordering::Greater => 1.0,
    }))
}
