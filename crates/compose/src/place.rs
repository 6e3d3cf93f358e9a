//! Where a text says something.

use miette::SourceSpan;
use wac_parser::lexer::Token;

use super::text::guard;
use check::bare;

/// Returns where `text` exports something under the name `export`, out of the instance of this name where one is given.
pub(super) fn export(text: &str, export: &str, instance: Option<&str>) -> Option<SourceSpan> {
    let tokens = guard(text).ok()?;
    let starts = (0..tokens.len()).filter(|index| tokens[*index].0 == Token::ExportKeyword);
    let mut spread = None;
    for start in starts {
        let statement = tokens[start..].iter().take_while(|(token, _)| *token != Token::Semicolon);
        let statement: Vec<_> = statement.collect();
        let mut names = statement.iter().filter(|(token, _)| matches!(token, Token::Ident | Token::String));
        let Some((_, span)) = names.next_back() else { continue };
        let name = &text[span.offset()..span.offset() + span.len()];
        let name = name.trim_matches('"').trim_start_matches('%');
        if statement.last().is_some_and(|(token, _)| *token == Token::Ellipsis) {
            spread = spread.or((Some(name) == instance).then_some(*span));
        } else if stands_for(name, export) {
            return Some(*span);
        }
    }
    spread
}

/// Returns whether `name` is `export`, or the short name of that interface.
fn stands_for(name: &str, export: &str) -> bool {
    name == export || bare(export).rsplit_once('/').is_some_and(|(_, interface)| interface == name)
}
