//! How the static binary is linked: what it relocates of itself at its start is listed in the packed form, a twentieth of the size (RELR; musl
//! reads it since 1.2.4). Linkers that do not know the form say so and go on.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let of = |name: &str| std::env::var(name).unwrap_or_default();
    if of("CARGO_CFG_TARGET_ENV") == "musl" && of("CARGO_CFG_TARGET_ARCH") == "x86_64" {
        println!("cargo:rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}
