//! A strict reader of the text format of OpenMetrics, written from its specification: what it takes, others take.

use std::collections::{BTreeMap, BTreeSet, HashSet};

/// The labels of a series, by name.
type Labels = BTreeMap<String, String>;

/// What was told.
#[derive(Debug, Default)]
pub struct Exposition {
    families: Vec<Family>,
    series: Vec<(String, Labels, f64)>,
}

#[derive(Debug, Default)]
struct Family {
    name: String,
    kind: Option<String>,
    help: bool,
    labels: BTreeSet<String>,
    samples: usize,
}

impl Exposition {
    /// Reads a whole answer.
    pub fn parse(text: &str) -> Result<Self, String> {
        let body = text.strip_suffix("# EOF\n").ok_or("it does not end with # EOF and a newline")?;
        let mut read = Self::default();
        let mut seen = HashSet::new();
        for line in body.lines() {
            read.line(line, &mut seen).map_err(|error| format!("{error}: {line}"))?;
        }
        if body.contains('\r') || body.contains("\n\n") {
            return Err("an empty line, or a carriage return".into());
        }
        if let Some(bare) = read.families.iter().find(|family| family.kind.is_none() || !family.help) {
            return Err(format!("{} lacks HELP or TYPE", bare.name));
        }
        read.check_histograms()?;
        Ok(read)
    }

    fn line(&mut self, line: &str, seen: &mut HashSet<String>) -> Result<(), String> {
        let Some(comment) = line.strip_prefix("# ") else { return self.sample(line, seen) };
        let (what, rest) = comment.split_once(' ').ok_or("a comment without a word")?;
        let (name, said) = rest.split_once(' ').ok_or("metadata without a value")?;
        if self.families.last().is_none_or(|family| family.name != name) {
            if self.families.iter().any(|family| family.name == name) {
                return Err("a family that began before".into());
            }
            check_name(name)?;
            self.families.push(Family { name: name.to_owned(), ..Family::default() });
        }
        let family = self.families.last_mut().ok_or("no family")?;
        if family.samples > 0 {
            return Err("metadata after samples".into());
        }
        match what {
            "HELP" if !family.help => family.help = true,
            "TYPE" if family.kind.is_none() => family.kind = Some(said.to_owned()),
            "UNIT" if name.ends_with(&format!("_{said}")) => {}
            _ => return Err("metadata that is unknown, twice, or a unit that is not in the name".into()),
        }
        Ok(())
    }

    fn sample(&mut self, line: &str, seen: &mut HashSet<String>) -> Result<(), String> {
        let (series, value) = line.rsplit_once(' ').ok_or("no value")?;
        let value: f64 = value.parse().map_err(|_| "the value is no number")?;
        let (name, labels) = match series.split_once('{') {
            None => (series, Labels::new()),
            Some((name, rest)) => (name, labels(rest.strip_suffix('}').ok_or("labels without an end")?)?),
        };
        check_name(name)?;
        let family = self.families.last_mut().ok_or("a sample without a family")?;
        let suffix = name.strip_prefix(&*family.name).ok_or("a sample of another family")?;
        let suffixes: &[&str] = match family.kind.as_deref() {
            Some("counter") => &["_total"],
            Some("gauge") => &[""],
            Some("histogram") => &["_bucket", "_count", "_sum"],
            Some("info") => &["_info"],
            kind => return Err(format!("a type that is not used here: {kind:?}")),
        };
        if !suffixes.contains(&suffix) {
            return Err("a suffix that the type does not have".into());
        }
        if family.kind.as_deref() != Some("gauge") && (value < 0.0 || value.is_nan()) {
            return Err("it counts, and is less than nothing".into());
        }
        if !seen.insert(format!("{name}{labels:?}")) {
            return Err("a series twice".into());
        }
        family.samples += 1;
        family.labels.extend(labels.keys().filter(|label| *label != "le").cloned());
        self.series.push((name.to_owned(), labels, value));
        Ok(())
    }

    /// Buckets grow, and the last of them, which has no bound, is the count.
    fn check_histograms(&self) -> Result<(), String> {
        let mut last: BTreeMap<String, f64> = BTreeMap::new();
        for (name, labels, value) in &self.series {
            let Some(base) = name.strip_suffix("_bucket") else { continue };
            let mut others = labels.clone();
            let bound = others.remove("le").ok_or(format!("{name} without le"))?;
            let before = last.insert(format!("{base}{others:?}"), *value).unwrap_or(0.0);
            if *value < before {
                return Err(format!("{name}{labels:?} is less than the bucket below"));
            }
            let of_all: Vec<(&str, &str)> =
                others.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            if bound == "+Inf" && self.value(&format!("{base}_count"), &of_all) != Some(*value) {
                return Err(format!("{base}{others:?}: the last bucket is not the count"));
            }
        }
        Ok(())
    }

    /// The value of the series with exactly these labels.
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let wanted: Labels =
            labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self.series.iter().find(|(other, labels, _)| other == name && *labels == wanted).map(|it| it.2)
    }

    /// The sum over all series of this name that have these labels, and whatever others.
    pub fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let fits =
            |own: &Labels| labels.iter().all(|(name, value)| own.get(*name).is_some_and(|own| own == value));
        self.series.iter().filter(|(other, own, _)| other == name && fits(own)).map(|it| it.2).sum()
    }

    /// Name, type and labels of each family, as the page about operations has them.
    pub fn families(&self) -> BTreeSet<String> {
        let told = |family: &Family| {
            let kind = family.kind.as_deref().unwrap_or_default();
            let suffix = match kind {
                "counter" => "_total",
                "info" => "_info",
                _ => "",
            };
            let labels: Vec<&str> = family.labels.iter().map(String::as_str).collect();
            let labels = if labels.is_empty() { "—".to_owned() } else { labels.join(",") };
            format!("{}{suffix} {kind} {labels}", family.name)
        };
        self.families.iter().map(told).collect()
    }
}

fn check_name(name: &str) -> Result<(), String> {
    let first = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_' || byte == b':';
    let mut bytes = name.bytes();
    let fine = bytes.next().is_some_and(first) && bytes.all(|byte| first(byte) || byte.is_ascii_digit());
    if fine { Ok(()) } else { Err(format!("{name:?} is no name")) }
}

fn labels(mut text: &str) -> Result<Labels, String> {
    let mut all = Labels::new();
    while !text.is_empty() {
        let (name, rest) = text.split_once("=\"").ok_or("a label without a value")?;
        check_name(name)?;
        let mut value = String::new();
        let mut characters = rest.char_indices();
        let end = loop {
            match characters.next().ok_or("a value without an end")? {
                (at, '"') => break at,
                (_, '\\') => value.push(match characters.next() {
                    Some((_, '\\')) => '\\',
                    Some((_, '"')) => '"',
                    Some((_, 'n')) => '\n',
                    _ => return Err("an escape that is none".into()),
                }),
                (_, character) => value.push(character),
            }
        };
        if all.insert(name.to_owned(), value).is_some() {
            return Err("a label twice".into());
        }
        text = match rest[end + 1..].strip_prefix(',') {
            Some("") => return Err("a comma at the end".into()),
            Some(more) => more,
            None if end + 1 == rest.len() => "",
            None => return Err("labels without a comma between".into()),
        };
    }
    Ok(all)
}
