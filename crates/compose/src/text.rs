//! A text in the WAC language: its limits, its tokens, and the packages that it mentions.

use miette::SourceSpan;
use wac_parser::Document;
use wac_parser::lexer::{Lexer, Token};

use super::kind::{ComposeErrorKind, DEEPEST, LONGEST, Reference};
use contract::contain::contain;

pub(super) fn parse(text: &str) -> Result<Document<'_>, ComposeErrorKind> {
    Document::parse(text).map_err(|error| ComposeErrorKind::Syntax(Box::new(error)))
}

pub(super) fn wanted(text: &str) -> Result<Vec<Reference>, ComposeErrorKind> {
    let tokens = guard(text)?;
    let document = contain(|| parse(text).map(|document| document.directive.package.name.to_owned()));
    let own = document.map_err(ComposeErrorKind::Crash)??;
    let mut found: Vec<Reference> = Vec::new();
    let mut before = None;
    for (token, span) in tokens {
        let instantiated = before.replace(token) == Some(Token::NewKeyword);
        if !matches!(token, Token::PackageName | Token::PackagePath) {
            continue;
        }
        let full = &text[span.offset()..span.offset() + span.len()];
        let (path, version) =
            full.split_once('@').map_or((full, None), |(path, version)| (path, Some(version)));
        let name = path.split('/').next().unwrap_or(path);
        let version = version.and_then(|version| version.parse().ok());
        if name == own && instantiated {
            return Err(ComposeErrorKind::Itself(span));
        }
        let known = |known: &Reference| known.name == name && known.version == version;
        if name != own && !found.iter().any(known) {
            found.push(Reference { name: name.to_owned(), version, span });
        }
    }
    Ok(found)
}

/// Checks the limits, and answers with the tokens, up to where the text stops making sense: what is wrong there
/// is for the parser to say.
pub(super) fn guard(text: &str) -> Result<Vec<(Token, SourceSpan)>, ComposeErrorKind> {
    if text.len() > LONGEST {
        return Err(ComposeErrorKind::TooLong(text.len()));
    }
    let mut depth = 0_usize;
    let mut tokens = Vec::new();
    let Ok(lexer) = Lexer::new(text) else { return Ok(tokens) };
    for (token, span) in lexer {
        let Ok(token) = token else { break };
        match token {
            Token::OpenParen | Token::OpenBrace | Token::OpenAngle | Token::OpenBracket => depth += 1,
            Token::CloseParen | Token::CloseBrace | Token::CloseAngle | Token::CloseBracket => {
                depth = depth.saturating_sub(1);
            }
            _ => {}
        }
        if depth > DEEPEST {
            return Err(ComposeErrorKind::TooDeep(span));
        }
        tokens.push((token, span));
    }
    Ok(tokens)
}
