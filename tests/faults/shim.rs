//! What an agent is told of the world, without a switch for it in the agent: a wall clock that jumps, and a kernel that has no more
//! inotify instances. Works on the dynamic test build: `shim.c`, compiled here, is preloaded into that one process.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use tempfile::TempDir;

/// The strings by which one agent's world is pulled.
#[derive(Debug)]
pub(crate) struct World {
    control: PathBuf,
}

impl World {
    /// An agent's own, as it is; the control file lies in `folder`.
    pub(crate) fn real(folder: &Path) -> Self {
        let world = Self { control: folder.join("world") };
        fs::write(&world.control, [0; 16]).unwrap();
        world
    }

    /// What the agent's environment must hold.
    pub(crate) fn environment(&self) -> Vec<(String, String)> {
        let text = |path: &Path| path.to_str().unwrap().to_owned();
        vec![("LD_PRELOAD".to_owned(), text(library())), ("FAULTS_CONTROL".to_owned(), text(&self.control))]
    }

    /// The agent's wall clock is off by so many seconds from now on.
    pub(crate) fn wall_clock_off_by(&self, seconds: i64) {
        self.put(0, seconds);
    }

    /// Whether inotify instances are refused from now on.
    pub(crate) fn no_inotify(&self, refused: bool) {
        self.put(8, i64::from(refused));
    }

    fn put(&self, at: u64, value: i64) {
        use std::os::unix::fs::FileExt as _;
        // In place: the agent has the file mapped.
        let file = fs::OpenOptions::new().write(true).open(&self.control).unwrap();
        file.write_all_at(&value.to_ne_bytes(), at).unwrap();
    }
}

fn library() -> &'static Path {
    static BUILT: OnceLock<(TempDir, PathBuf)> = OnceLock::new();
    let (_, library) = BUILT.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let library = folder.path().join("shim.so");
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/faults/shim.c");
        let built = Command::new("cc").args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"]).arg(&library).arg(source).status();
        assert!(built.is_ok_and(|status| status.success()), "a C compiler (gcc) builds {source}");
        (folder, library)
    });
    library
}
