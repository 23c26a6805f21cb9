//! What is refused, and the words in which a user reads it.

use crate::kitchen::{CHART, file, helm, template};

const STANDALONE: [&str; 2] = ["--set", "asterisk.enabled=true,asterisk.image.repository=asterisk,certificate.secretName=pbx-tls"];

#[test]
fn a_typo_or_a_wrong_type_is_refused_with_its_place() {
    for (set, said) in [
        ("certificates.secretName=a", "additional properties 'certificates' not allowed"),
        ("certificate.secretname=a", "at '/certificate': additional properties 'secretname' not allowed"),
        ("asterisk.ami.user=a", "at '/asterisk/ami': additional properties 'user' not allowed"),
        ("asterisk.enabled=maybe", "at '/asterisk/enabled': got string, want boolean"),
        ("certificate.names=pbx.example.com", "at '/certificate/names': got string, want array"),
        ("certificate.mode=inplace", "at '/certificate/mode': value must be one of 'staged', 'in-place'"),
        ("certificate.directory=tls", "at '/certificate/directory': 'tls' does not match pattern"),
        ("image.pullPolicy=never", "at '/image/pullPolicy': value must be one of 'Always', 'IfNotPresent', 'Never'"),
        ("image.digest=abc", "at '/image/digest': 'abc' does not match pattern"),
        ("port=80", "at '/port': minimum: got 80, want 1,024"),
        ("runAsUser=0", "at '/runAsUser': minimum: got 0, want 1"),
        ("settings.certificat.names={a}", "at '/settings': additional properties 'certificat' not allowed"),
        ("rbac.serviceAccounts[0].namespace=a", "at '/rbac/serviceAccounts/0': missing property 'name'"),
        ("kubernetes.nudge=auto", "at '/kubernetes/nudge': got string, want boolean"),
    ] {
        let error = template(CHART, &["--set", set]).expect_err(set);
        assert!(error.contains("values don't meet the specifications of the schema"), "{set}: {error}");
        assert!(error.contains(said), "{set}: {error}");
    }
}

#[test]
fn values_that_contradict_each_other_are_refused_in_a_sentence() {
    let alone: &[&str] = &[];
    for (before, set, said) in [
        (
            &STANDALONE[..],
            "certificate.generate=true",
            "certificate.generate and certificate.secretName: leave one of them out; a certificate is made only where none is named",
        ),
        (
            alone,
            "certificate.generate=true",
            "certificate.generate is for the standalone Asterisk (asterisk.enabled); elsewhere name the Secret in certificate.secretName",
        ),
        (
            alone,
            "certificate.generate=true,certificate.certManager.enabled=true",
            "certificate.generate and certificate.certManager.enabled: leave one of them out",
        ),
        (
            &STANDALONE,
            "asterisk.configVolume=config",
            "asterisk.configVolume is for charts that include this one; a standalone Asterisk gets its configuration from asterisk.config",
        ),
        (&STANDALONE, "asterisk.uid=65532", "asterisk.uid and runAsUser are the same: Asterisk could write what it shall only read"),
        (&STANDALONE, "asterisk.uid=0", "asterisk.uid is 0: a standalone Asterisk runs without root; name another number, any will do"),
        (&STANDALONE, "asterisk.rtp.start=20000", "asterisk.rtp.start is above asterisk.rtp.end"),
        (
            alone,
            "podDisruptionBudget.enabled=true",
            "podDisruptionBudget.enabled is for the standalone Asterisk (asterisk.enabled), and that is off",
        ),
        (alone, "networkPolicy.enabled=true", "networkPolicy.enabled is for the standalone Asterisk (asterisk.enabled), and that is off"),
        (
            alone,
            "metrics.serviceMonitor.enabled=true",
            "metrics.serviceMonitor.enabled is for the standalone Asterisk (asterisk.enabled), and that is off",
        ),
        (
            alone,
            "settings.certificate.publish.directory=/tls",
            "settings.certificate.publish: say it by certificate.mode and certificate.directory, so that the pod's mounts fit",
        ),
        (alone, "settings.http.listen=[::]:1", "settings.http.listen: say it by `port`, so that the probes fit"),
    ] {
        let error = template(CHART, &[before, &["--set", set]].concat()).expect_err(set);
        assert!(error.contains(&format!("\n\n{said}\n")) || error.contains(&format!("\n{said}\n")), "{set}: {error}");
    }
}

#[test]
fn what_is_missing_is_asked_for_with_an_example() {
    for (set, said) in [
        (
            "asterisk.enabled=true",
            "asterisk.image.repository is needed: the image of the Asterisk to deploy, such as: --set asterisk.image.repository=localhost/asterisk",
        ),
        (
            "asterisk.enabled=true,asterisk.image.repository=a",
            "certificate.secretName is needed: the Secret of type kubernetes.io/tls that holds the certificate.\n\
             For a trial, a certificate of one's own is made by: --set certificate.generate=true",
        ),
        (
            "certificate.certManager.enabled=true",
            "certificate.secretName is needed with certificate.certManager: the Secret that cert-manager writes",
        ),
        (
            "certificate.certManager.enabled=true,certificate.secretName=a",
            "certificate.certManager.issuerRef.name is needed: the issuer of the certificate",
        ),
        (
            "certificate.certManager.enabled=true,certificate.secretName=a,certificate.certManager.issuerRef.name=ca",
            "certificate.names is needed with certificate.certManager: the DNS names to be issued",
        ),
    ] {
        let error = template(CHART, &["--set", set]).expect_err(set);
        assert!(error.contains(said), "{set}: {error}");
    }
}

#[test]
fn a_cluster_without_mutating_policies_is_told_what_to_do_instead() {
    let at = |version: &str, words: &[&str]| {
        let values = file("values/inject.yaml");
        helm(&[&["template", "pbx", CHART, "--values", &values, "--kube-version", version], words].concat())
    };
    let error = at("1.35.2", &[]).unwrap_err();
    assert!(
        error.contains(
            "inject.enabled needs MutatingAdmissionPolicy, which Kubernetes has since 1.36; this is v1.35.2.\n\
             Do one of these:\n\
             - use the named templates in the chart of your Asterisk (README.md, \"Include\"), or manifests/kubernetes with Kustomize: both need no more than 1.29;\n\
             - on 1.34 and 1.35, switch the beta on: --feature-gates=MutatingAdmissionPolicy=true --runtime-config=admissionregistration.k8s.io/v1beta1=true\n"
        ),
        "{error}"
    );
    let beta = at("1.35.2", &["--api-versions", "admissionregistration.k8s.io/v1beta1/MutatingAdmissionPolicy"]).unwrap();
    assert!(beta.contains("apiVersion: admissionregistration.k8s.io/v1beta1\nkind: MutatingAdmissionPolicy\n"), "{beta}");
    let stable = at("1.36.0", &[]).unwrap();
    assert!(stable.contains("apiVersion: admissionregistration.k8s.io/v1\nkind: MutatingAdmissionPolicy\n"), "{stable}");
    let error = at("1.28.9", &[]).unwrap_err();
    assert!(error.contains("chart requires kubeVersion: >=1.29.0-0 which is incompatible with Kubernetes v1.28.9"), "{error}");
}
