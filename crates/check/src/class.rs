//! The classes of mismatches, and the page that explains each.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};
use thiserror::Error;

macro_rules! classes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// What kind of mismatch it is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Class {
            $($(#[$doc])* $variant,)*
        }

        impl Class {
            /// All classes, in the order in which they are listed for people.
            pub const ALL: &'static [Class] = &[$(Class::$variant),*];

            /// The name by which people and programs know it: `record-field`.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Class::$variant => $name,)* }
            }

            /// The page that explains it, in Markdown: the rule, a minimal example, the usual cures.
            #[must_use]
            pub fn page(self) -> &'static str {
                match self {
                    $(Class::$variant => include_str!(concat!("../../../docs/mismatches/", $name, ".md")),)*
                }
            }
        }
    };
}

classes! {
    /// An interface that is demanded is not there.
    MissingInterface = "missing-interface",
    /// A function that is demanded is not there.
    MissingFunction = "missing-function",
    /// There is something of a similar name.
    NameNearMiss = "name-near-miss",
    /// There is another version, and the two do not promise to fit.
    VersionIncompatible = "version-incompatible",
    /// A function on one side, an interface or a type on the other.
    Kind = "kind",
    /// A function is `async` on one side only.
    Async = "async",
    /// A function has more parameters on one side.
    ParameterCount = "parameter-count",
    /// A parameter goes by another name.
    ParameterName = "parameter-name",
    /// Types of another shape.
    TypeShape = "type-shape",
    /// The fields of a record differ, by name or order.
    RecordField = "record-field",
    /// The cases of a variant differ, by name, order, or in having a payload.
    VariantCase = "variant-case",
    /// The cases of an enum or the labels of flags differ, by name or order.
    EnumCase = "enum-case",
    /// Two resources that must be the same one are not.
    ResourceIdentity = "resource-identity",
    /// An import that nobody offers anything for.
    Unwired = "unwired",
    /// Parts need each other in a circle.
    Cycle = "cycle",
}

impl Class {
    /// The first line of its page, without the mark of a heading.
    #[must_use]
    pub fn title(self) -> &'static str {
        self.page().lines().next().unwrap_or_default().trim_start_matches('#').trim_start()
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for Class {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// There is no such class.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("there is no class of mismatches `{0}`")]
pub struct UnknownClass(pub String);

impl FromStr for Class {
    type Err = UnknownClass;

    fn from_str(name: &str) -> Result<Self, UnknownClass> {
        let found = Class::ALL.iter().find(|class| class.as_str() == name);
        found.copied().ok_or_else(|| UnknownClass(name.to_owned()))
    }
}
