//! `composer explain`.

use check::{Class, UnknownClass};
use clap::Args;
use serde_json::json;

use crate::failure::{Exit, Failure};
use crate::{files, outcome};

/// Explain a class of mismatches: the rule, a minimal example, the usual fixes. Without a class,
/// list all classes.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  composer explain record-field")]
pub struct Explain {
    /// Class, as `composer check` names it.
    class: Option<String>,
    /// Prints JSON: `classes` (each with `class`, `title` and `page`, which is Markdown), all or the one that was named, and
    /// `error` (null, or `class`, `message`, `causes`, `help`).
    #[arg(long)]
    json: bool,
}

/// Executes the command.
pub fn run(arguments: &Explain) -> Result<(), Failure> {
    let classes = arguments.classes();
    if arguments.json {
        let told = |class: &Class| json!({ "class": class, "title": class.title(), "page": class.page() });
        let told = |classes: Vec<Class>| json!({ "classes": classes.iter().map(told).collect::<Vec<_>>() });
        return outcome::print(classes.map(told), json!({ "classes": [] }));
    }
    let text = match (&arguments.class, classes?.as_slice()) {
        (Some(_), [class]) => class.page().to_owned(),
        (_, all) => all.iter().map(|class| format!("{class:22}{}\n", class.title())).collect(),
    };
    files::print(text.as_bytes())
}

impl Explain {
    /// All, or the one that was named.
    fn classes(&self) -> Result<Vec<Class>, Failure> {
        let Some(name) = &self.class else { return Ok(Class::ALL.to_vec()) };
        let class = name.parse().map_err(|error: UnknownClass| {
            Failure::because(Exit::Usage, "there is nothing to explain", error)
                .help("`composer explain` lists the classes")
        })?;
        Ok(vec![class])
    }
}
