//! The functions that open files and directories, counted.

use wasmtime::component::{Linker, Resource};
use wasmtime_wasi::filesystem::{Descriptor, WasiFilesystem, WasiFilesystemView};
use wasmtime_wasi::{p2, p3};

use super::{VERSION_0_2, VERSION_0_3};
use crate::limits::Exceeded;
use crate::open_files::Room;
use crate::state::State;

/// Counts what is opened through `wasi:filesystem` 0.2, which has to be in the linker already.
pub(super) fn count_0_2(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    use p2::bindings::filesystem::types::{self, DescriptorFlags, HostDescriptor, OpenFlags, PathFlags};

    linker.allow_shadowing(true);
    linker.instance(&format!("wasi:filesystem/types@{VERSION_0_2}"))?.func_wrap_async(
        "[method]descriptor.open-at",
        |mut store,
         (directory, at, path, how, flags): (
            Resource<Descriptor>,
            PathFlags,
            String,
            OpenFlags,
            DescriptorFlags,
        )| {
            Box::new(async move {
                let state = store.data_mut();
                let room = state.open_files().room().map_err(Exceeded)?;
                let outcome =
                    HostDescriptor::open_at(&mut state.filesystem(), directory, at, path, how, flags).await;
                match outcome {
                    Ok(descriptor) => {
                        opened(state, room, &descriptor)?;
                        Ok((Ok(descriptor),))
                    }
                    Err(error) => {
                        let error = types::Host::convert_error_code(&mut state.filesystem(), error)?;
                        Ok((Err(error),))
                    }
                }
            })
        },
    )?;
    linker.allow_shadowing(false);
    Ok(())
}

/// Counts what is opened through `wasi:filesystem` 0.3, which has to be in the linker already.
pub(super) fn count_0_3(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    use p3::bindings::filesystem::types::{
        self, DescriptorFlags, HostDescriptorWithStore, OpenFlags, PathFlags,
    };

    linker.allow_shadowing(true);
    linker.instance(&format!("wasi:filesystem/types@{VERSION_0_3}"))?.func_wrap_concurrent(
        "[method]descriptor.open-at",
        |store,
         (directory, at, path, how, flags): (
            Resource<Descriptor>,
            PathFlags,
            String,
            OpenFlags,
            DescriptorFlags,
        )| {
            Box::pin(async move {
                let room = store.with(|mut store| store.get().open_files().room()).map_err(Exceeded)?;
                let files = store.with_getter::<WasiFilesystem>(State::filesystem);
                let opening = <WasiFilesystem as HostDescriptorWithStore<State>>::open_at(
                    &files, directory, at, path, how, flags,
                );
                let outcome = opening.await;
                store.with(|mut store| {
                    let state = store.get();
                    match outcome {
                        Ok(descriptor) => {
                            opened(state, room, &descriptor)?;
                            Ok((Ok(descriptor),))
                        }
                        Err(error) => {
                            let error = types::Host::convert_error_code(&mut state.filesystem(), error)?;
                            Ok((Err(error),))
                        }
                    }
                })
            })
        },
    )?;
    linker.allow_shadowing(false);
    Ok(())
}

/// Counts what was opened.
fn opened(state: &mut State, room: Room, descriptor: &Resource<Descriptor>) -> wasmtime::Result<()> {
    let files = state.open_files().clone();
    files.keep(room, state.table().get(descriptor)?);
    Ok(())
}
