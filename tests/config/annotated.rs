//! The files that come with ccwatch, and files that can't be read.

use std::path::{Path, PathBuf};

use ccwatch::config::{Config, Environment};

fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("config").join(name)
}

#[test]
fn the_annotated_and_the_demo_configuration_work_as_they_stand() {
    let environment: Environment = [("HOME", "/home/ada")].into_iter().collect();
    for name in ["ccwatch.toml", "demo.toml"] {
        let config = Config::load(&shipped(name), &environment).unwrap_or_else(|errors| panic!("{errors}"));
        assert_eq!(config.warnings, [""; 0], "{name}");
        assert_eq!(
            (config.targets.len(), config.receivers.len(), config.routes.len()),
            (1, 1, 1),
            "{name}"
        );
    }
}

#[test]
fn a_file_that_cannot_be_read_is_told_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    };
    let said = |path: &Path| {
        let errors = Config::load(path, &Environment::default()).unwrap_err();
        errors.to_string().replace(folder.path().to_str().unwrap(), "FOLDER")
    };
    let closing = "\nThe configuration could not be read.";
    assert_eq!(
        said(&folder.path().join("none")),
        format!("FOLDER/none: no such file{closing}")
    );
    assert_eq!(
        said(folder.path()),
        format!("FOLDER: is a directory, expected a file{closing}")
    );
    let binary = file("binary", b"a = 1\n\xff\xfe");
    assert_eq!(
        said(&binary),
        format!("FOLDER/binary: is not UTF-8 text: byte 7 is not{closing}")
    );
    let large = file("large", &vec![b'#'; 1024 * 1024 + 1]);
    assert_eq!(said(&large), format!("FOLDER/large: is larger than 1024 KiB{closing}"));
    let hostile = folder.path().join("a\u{1b}[31m\nb");
    assert_eq!(said(&hostile), format!("FOLDER/a\u{fffd}[31m b: no such file{closing}"));
}
