//! Routes: the patterns by which requests are told apart in metrics and traces.

use std::fmt;
use std::sync::Arc;

use matchit::{InsertError, Router};

use super::labels::OTHER;

/// How many routes there may be: each is a dozen series of numbers and more.
const MOST: usize = 200;
/// The longest pattern, in bytes.
const LONGEST: usize = 200;

/// Patterns of paths, such as `/orders/{id}` and `/static/{*rest}`. The guest is none the wiser: requests are told apart by
/// them, and not sent anywhere else.
#[derive(Clone)]
pub struct Routes {
    router: Router<Arc<str>>,
    other: Arc<str>,
}

/// Why a pattern cannot be a route.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RouteError {
    /// It is no path.
    #[error("the route {0:?} does not begin with a slash; write a path, such as /orders/{{id}}")]
    NoPath(String),
    /// Its braces are no parameters.
    #[error(
        "the route {pattern:?} is no pattern: {reason}. Write /orders/{{id}} for one segment of a path, and /static/{{*rest}} for all that follows"
    )]
    NoPattern {
        /// The pattern.
        pattern: String,
        /// The rule that is broken.
        reason: String,
    },
    /// It matches the same paths as another, or the two cannot be told apart.
    #[error("the routes {pattern:?} and {other:?} cannot be told apart; leave one of them out")]
    Twice {
        /// The pattern.
        pattern: String,
        /// The one before it.
        other: String,
    },
    /// It is too long.
    #[error(
        "the route {0:?}… has more than {LONGEST} bytes; name a part of the path, and the rest as {{*rest}}"
    )]
    TooLong(String),
    /// There are too many.
    #[error("there are more than {MOST} routes; name the important ones, the rest is told as `other`")]
    TooMany,
}

impl Routes {
    /// Takes patterns. More specific ones go before others, in whatever order they are given.
    ///
    /// # Errors
    ///
    /// Where one of them is no pattern, or two of them match the same paths.
    pub fn new<'a>(patterns: impl IntoIterator<Item = &'a str>) -> Result<Self, RouteError> {
        let mut routes = Self::default();
        for (number, pattern) in patterns.into_iter().enumerate() {
            if number == MOST {
                return Err(RouteError::TooMany);
            }
            if pattern.len() > LONGEST {
                let begin = &pattern[..pattern.floor_char_boundary(40)];
                return Err(RouteError::TooLong(begin.to_owned()));
            }
            if !pattern.starts_with('/') {
                return Err(RouteError::NoPath(pattern.to_owned()));
            }
            routes.router.insert(pattern, pattern.into()).map_err(|error| {
                let pattern = pattern.to_owned();
                match error {
                    InsertError::Conflict { with } => RouteError::Twice { pattern, other: with },
                    error => RouteError::NoPattern { pattern, reason: in_words(&error).to_owned() },
                }
            })?;
        }
        Ok(routes)
    }

    /// The route of a path, if one of the patterns matches it.
    pub(crate) fn of(&self, path: &str) -> Option<&Arc<str>> {
        self.router.at(path).ok().map(|found| found.value)
    }

    /// The label for paths that no pattern matches.
    pub(super) fn other(&self) -> &Arc<str> {
        &self.other
    }
}

fn in_words(error: &InsertError) -> &'static str {
    match error {
        InsertError::InvalidParamSegment => "a segment of a path can have one parameter",
        InsertError::InvalidCatchAll => "what takes all that follows can only be at the end",
        _ => "its braces do not enclose a name",
    }
}

impl Default for Routes {
    fn default() -> Self {
        Self { router: Router::new(), other: OTHER.into() }
    }
}

impl fmt::Debug for Routes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Routes").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_pattern_is_refused_with_the_way_out() {
        for (patterns, told) in [
            (vec!["orders"], "the route \"orders\" does not begin with a slash; write a path"),
            (vec![""], "does not begin with a slash"),
            (
                vec!["/orders/{"],
                "the route \"/orders/{\" is no pattern: its braces do not enclose a name. Write",
            ),
            (vec!["/{*a}/b"], "can only be at the end"),
            (vec!["/{a}-{b}"], "a segment of a path can have one parameter"),
            (vec!["/a/{b}", "/a/{c}"], "the routes \"/a/{c}\" and \"/a/{b}\" cannot be told apart"),
        ] {
            let error = Routes::new(patterns.clone()).unwrap_err().to_string();
            assert!(error.contains(told), "{patterns:?}: {error}");
        }
        assert!(matches!(Routes::new([&*"/é".repeat(200)]), Err(RouteError::TooLong(_))));
        let many: Vec<String> = (0..=MOST).map(|number| format!("/{number}")).collect();
        assert_eq!(Routes::new(many.iter().map(String::as_str)).unwrap_err(), RouteError::TooMany);
    }

    #[test]
    fn the_most_specific_pattern_counts() {
        let routes = Routes::new(["/{*rest}", "/orders/{id}", "/orders/new"]).unwrap();
        let of = |path| routes.of(path).map(|route| &**route);
        assert_eq!(of("/orders/17"), Some("/orders/{id}"));
        assert_eq!(of("/orders/new"), Some("/orders/new"));
        assert_eq!(of("/orders/17/lines"), Some("/{*rest}"));
        assert_eq!(of("*"), None);
        assert_eq!(Routes::default().of("/"), None);
    }
}
