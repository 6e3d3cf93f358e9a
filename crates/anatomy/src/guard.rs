//! Bounds how deep types are nested, without recursion.
//!
//! wasmparser reads a type within a type by recursion and knows no limit there: three bytes a level are
//! enough to exhaust any stack. So types are walked here first, with a stack of our own. Everything but the
//! two types that can hold types is read by wasmparser itself.

use wasmparser::{
    BinaryReader, ComponentAlias, ComponentExternName, ComponentImport, ComponentType, ComponentTypeRef,
    CoreType,
};

use crate::error::ReadError;

const COMPONENT: u8 = 0x41;
const INSTANCE: u8 = 0x42;

/// Walks a component type section: `reader` stands at its first type, of which there are `count`.
pub(crate) fn types(mut reader: BinaryReader<'_>, count: u32, limit: u32) -> Result<(), ReadError> {
    // How many declarations are still to come, on each level of nesting.
    let mut open: Vec<u32> = Vec::new();
    for _ in 0..count {
        enter(&mut reader, &mut open, limit)?;
        while let Some(left) = open.last_mut() {
            if *left == 0 {
                open.pop();
                continue;
            }
            *left -= 1;
            declaration(&mut reader, &mut open, limit)?;
        }
    }
    Ok(())
}

/// Reads one type, or the head of one that holds declarations.
fn enter(reader: &mut BinaryReader<'_>, open: &mut Vec<u32>, limit: u32) -> Result<(), ReadError> {
    match peek(reader)? {
        COMPONENT | INSTANCE => {
            let offset = reader.original_position();
            if open.len() >= limit as usize {
                return Err(ReadError::TooDeep { offset, what: "types", limit });
            }
            reader.read_u8()?;
            open.push(reader.read_var_u32()?);
        }
        _ => {
            reader.read::<ComponentType<'_>>()?;
        }
    }
    Ok(())
}

fn declaration(reader: &mut BinaryReader<'_>, open: &mut Vec<u32>, limit: u32) -> Result<(), ReadError> {
    match reader.read_u8()? {
        0x00 => {
            reader.read::<CoreType<'_>>()?;
        }
        0x01 => enter(reader, open, limit)?,
        0x02 => {
            reader.read::<ComponentAlias<'_>>()?;
        }
        0x03 => {
            reader.read::<ComponentImport<'_>>()?;
        }
        0x04 => {
            reader.read::<ComponentExternName<'_>>()?;
            reader.read::<ComponentTypeRef>()?;
        }
        code => {
            let offset = reader.original_position() - 1;
            return Err(ReadError::Unknown { offset, what: "declaration in a type", code, made_by: None });
        }
    }
    Ok(())
}

fn peek(reader: &BinaryReader<'_>) -> Result<u8, ReadError> {
    Ok(reader.clone().read_u8()?)
}
