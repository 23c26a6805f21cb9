# runner.sh, to be sourced: where the user is not root, has Cargo run what it built through as_root.sh.
if [ "$(id -u)" != 0 ]; then
  for target in "$(rustc -vV | sed -n 's/^host: //p')" x86_64-unknown-linux-musl; do
    target=${target^^}
    export "CARGO_TARGET_${target//-/_}_RUNNER=tests/lab/as_root.sh"
  done
fi
