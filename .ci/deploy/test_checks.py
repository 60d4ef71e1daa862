"""The checks find what they are for: each test breaks one thing in manifests that are right."""

import copy
import unittest

import labels
import nats
import ports
import reachability
import references
import settings
from manifests import Manifests, selects

APP = {f"app.kubernetes.io/{label}": "x" for label in ("part-of", "managed-by", "instance")}
BROKER = {"app.kubernetes.io/name": "nats", "app.kubernetes.io/component": "broker", **APP}
INTAKE = {"app.kubernetes.io/name": "proofline", "app.kubernetes.io/component": "intake", **APP}
ADMIN = {"httpGet": {"path": "/livez", "port": "admin"}}
READY = {"httpGet": {"path": "/readyz", "port": "admin"}}


def workload(kind, name, pod_labels, container, volumes=(), **spec):
    return {
        "kind": kind,
        "metadata": {"name": name, "namespace": "proofline", "labels": pod_labels},
        "spec": {
            "selector": {"matchLabels": pod_labels},
            "template": {
                "metadata": {"labels": pod_labels},
                "spec": {"containers": [container], "volumes": list(volumes), **spec},
            },
        },
    }


def config(kind, name, data):
    return {"kind": kind, "metadata": {"name": name}, "data": data}


def setting(**row):
    defaults = {"default": None, "required": False, "secret": False, "unit": "", "file_name": None}
    return {**defaults, **row}


REFERENCE = settings.Reference(
    {
        "proofline-intake": {
            "PROOFLINE_LISTEN": setting(default="127.0.0.1:8080"),
            "PROOFLINE_ADMIN_LISTEN": setting(default="127.0.0.1:9080"),
            "PROOFLINE_NATS_URL": setting(default="nats://127.0.0.1:4222"),
            "PROOFLINE_NATS_USER": setting(),
            "PROOFLINE_NATS_PASSWORD": setting(secret=True, file_name="PROOFLINE_NATS_PASSWORD_FILE"),
            "PROOFLINE_TENANTS_FILE": setting(required=True, unit="path"),
            "PROOFLINE_KEYS": setting(required=True, secret=True, file_name="PROOFLINE_KEYS_FILE"),
            "PROOFLINE_EXPIRES_AFTER": setting(default="24h"),
        }
    }
)
CODE = ports.Code(admin_paths={"/livez", "/readyz", "/metrics"}, gone_after_seconds=9.8)
CONFIGURATION = 'include "accounts.conf"\nlisten: $NATS_LISTEN # not $THIS\n'
ACCOUNTS = '{ user: intake, password: $NATS_INTAKE_PASSWORD, x: ["$JS.API.>"] }\n'


def policy(name, selector, **rules):
    types = {"ingress": "Ingress", "egress": "Egress"}
    return {
        "kind": "NetworkPolicy",
        "metadata": {"name": name},
        "spec": {"podSelector": selector, "policyTypes": [types[r] for r in rules], **rules},
    }


def right():
    """One service and its NATS, as they should be."""
    intake = workload(
        "Deployment",
        "intake",
        INTAKE,
        {
            "image": "registry.example.com:5000/proofline:1",
            "command": ["/usr/bin/proofline-intake"],
            "env": [
                {"name": "PROOFLINE_LISTEN", "value": "0.0.0.0:8080"},
                {"name": "PROOFLINE_ADMIN_LISTEN", "value": "0.0.0.0:9080"},
                {"name": "PROOFLINE_NATS_URL", "value": "nats://nats:4222"},
                {"name": "PROOFLINE_NATS_USER", "value": "intake"},
                {"name": "PROOFLINE_NATS_PASSWORD_FILE", "value": "/secrets/password"},
                {"name": "PROOFLINE_KEYS_FILE", "value": "/secrets/keys"},
                {"name": "PROOFLINE_TENANTS_FILE", "value": "/tenants/tenants.toml"},
                {
                    "name": "PROOFLINE_EXPIRES_AFTER",
                    "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "PROOFLINE_EXPIRES_AFTER"}},
                },
            ],
            "ports": [
                {"name": "http", "containerPort": 8080},
                {"name": "admin", "containerPort": 9080},
            ],
            "startupProbe": ADMIN,
            "livenessProbe": ADMIN,
            "readinessProbe": READY,
            "lifecycle": {"preStop": {"sleep": {"seconds": 5}}},
            "volumeMounts": [
                {"name": "secrets", "mountPath": "/secrets"},
                {"name": "tenants", "mountPath": "/tenants"},
            ],
        },
        volumes=[
            {
                "name": "secrets",
                "projected": {
                    "sources": [
                        {"secret": {"name": "passwords", "items": [{"key": "NATS_INTAKE_PASSWORD", "path": "password"}]}},
                        {"secret": {"name": "sealing-keys"}},
                    ]
                },
            },
            {"name": "tenants", "configMap": {"name": "tenants"}},
        ],
    )
    broker = workload(
        "StatefulSet",
        "nats",
        BROKER,
        {
            "image": "nats:2",
            "command": ["/nats-server", "--config", "/etc/nats/nats-server.conf"],
            "env": [{"name": "NATS_LISTEN", "value": "0.0.0.0:4222"}],
            "envFrom": [{"secretRef": {"name": "passwords"}}],
            "ports": [{"name": "client", "containerPort": 4222}],
            "startupProbe": {"tcpSocket": {"port": "client"}},
            "livenessProbe": {"tcpSocket": {"port": "client"}},
            "readinessProbe": {"tcpSocket": {"port": "client"}},
            "volumeMounts": [{"name": "configuration", "mountPath": "/etc/nats"}],
        },
        volumes=[{"name": "configuration", "configMap": {"name": "nats"}}],
    )
    dns = {
        "to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}],
        "ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}],
    }
    to_nats = {"to": [{"podSelector": {"matchLabels": BROKER}}], "ports": [{"port": 4222}]}
    from_intake = {"from": [{"podSelector": {"matchLabels": INTAKE}}], "ports": [{"port": "client"}]}
    return Manifests(
        "test",
        [
            {"kind": "Namespace", "metadata": {"name": "proofline"}},
            intake,
            broker,
            config("ConfigMap", "settings", {"PROOFLINE_EXPIRES_AFTER": "24h"}),
            config("ConfigMap", "tenants", {"tenants.toml": '[tenants.acme]\nsubscribers = []\n'}),
            config("ConfigMap", "nats", {"nats-server.conf": CONFIGURATION, "accounts.conf": ACCOUNTS}),
            config("Secret", "passwords", {"NATS_INTAKE_PASSWORD": "p"}),
            config("Secret", "sealing-keys", {"keys": "k"}),
            {
                "kind": "Service",
                "metadata": {"name": "nats", "labels": BROKER},
                "spec": {"selector": BROKER, "ports": [{"name": "client", "port": 4222, "targetPort": "client"}]},
            },
            policy("default-deny", {}, ingress=[], egress=[]),
            policy("intake", {"matchLabels": INTAKE}, egress=[dns, to_nats]),
            policy("nats", {"matchLabels": BROKER}, ingress=[from_intake]),
        ],
    )


def faults(manifests):
    return [
        *labels.faults(manifests),
        *references.faults(manifests),
        *settings.faults(manifests, REFERENCE),
        *settings.unused(manifests),
        *ports.faults(manifests, CODE),
        *nats.faults(manifests),
        *reachability.faults(manifests, REFERENCE),
    ]


class Checks(unittest.TestCase):
    def setUp(self):
        self.manifests = copy.deepcopy(right())
        self.intake = self.manifests.named("Deployment", "intake")
        self.container = self.intake["spec"]["template"]["spec"]["containers"][0]

    def fault(self, text):
        found = faults(self.manifests)
        self.assertTrue(any(text in fault for fault in found), f"{text!r} is not in {found}")

    def set(self, name, value):
        self.container["env"] = [v for v in self.container["env"] if v["name"] != name]
        if value is not None:
            self.container["env"].append({"name": name, "value": value})

    def test_what_is_right_has_no_faults(self):
        self.assertEqual(faults(self.manifests), [])

    # --- settings

    def test_a_variable_that_the_program_does_not_know(self):
        self.set("PROOFLINE_EXPIRES_AFTRE", "1h")
        self.fault("proofline-intake does not know PROOFLINE_EXPIRES_AFTRE")

    def test_variables_of_opentelemetry_are_known_by_their_names(self):
        self.set("OTEL_TRACES_SAMPLER_ARG", "0.1")
        self.assertEqual(faults(self.manifests), [])
        self.set("OTEL_TRACE_SAMPLER", "always_on")
        self.fault("does not know OTEL_TRACE_SAMPLER")

    def test_a_required_setting_that_is_missing_or_empty(self):
        self.set("PROOFLINE_KEYS_FILE", None)
        self.fault("PROOFLINE_KEYS is required")
        self.set("PROOFLINE_TENANTS_FILE", "")
        self.fault("PROOFLINE_TENANTS_FILE is required")

    def test_a_secret_in_a_variable(self):
        self.set("PROOFLINE_KEYS", "a:b")
        self.fault("PROOFLINE_KEYS is a secret")
        self.fault("PROOFLINE_KEYS is given twice")

    def test_a_file_that_no_volume_brings(self):
        self.set("PROOFLINE_KEYS_FILE", "/secrets/key")
        self.fault("PROOFLINE_KEYS_FILE: no volume brings /secrets/key")

    def test_a_secret_in_a_config_map(self):
        self.set("PROOFLINE_KEYS_FILE", "/tenants/tenants.toml")
        self.fault("is of a ConfigMap")

    def test_a_setting_that_reaches_nobody(self):
        self.manifests.named("ConfigMap", "settings")["data"]["PROOFLINE_KEYS"] = ""
        self.fault("PROOFLINE_KEYS reaches no workload")

    def test_a_program_that_is_not_there(self):
        self.container["command"] = ["/usr/bin/proofline-intaek"]
        self.fault("there is no program `proofline-intaek`")

    def test_a_file_that_the_tenants_file_names(self):
        tenants = '[tenants.acme.assure]\nclient_secret_file = "/run/secrets/tenants/acme"\n'
        self.manifests.named("ConfigMap", "tenants")["data"]["tenants.toml"] = tenants
        self.fault("tenant acme: no volume brings /run/secrets/tenants/acme")

    def test_defaults_of_the_base_are_those_of_the_programs(self):
        found = list(settings.base_faults("# x\nPROOFLINE_EXPIRES_AFTER=12h\n", REFERENCE))
        self.assertEqual(found, ["base/settings.env: the default of PROOFLINE_EXPIRES_AFTER is 24h"])

    # --- references

    def test_a_key_that_a_config_map_has_not(self):
        del self.manifests.named("ConfigMap", "settings")["data"]["PROOFLINE_EXPIRES_AFTER"]
        self.fault("ConfigMap settings has no key PROOFLINE_EXPIRES_AFTER")

    def test_a_secret_that_is_not_there_unless_an_operator_brings_it(self):
        keys = self.manifests.named("Secret", "sealing-keys")
        self.manifests.objects.remove(keys)
        self.fault("there is no Secret sealing-keys")
        self.manifests.brought.append({**keys, "data": {}, "stringData": {"keys": "<id:key>"}})
        self.assertEqual(faults(self.manifests), [])

    def test_variables_that_refer_to_others_see_those_before_them(self):
        self.set("A", "$(B) $(NATS_INTAKE_PASSWORD)")
        self.set("B", "b")
        self.set("C", "$(B) $(PROOFLINE_EXPIRES_AFTER)")
        (intake, broker) = self.manifests.pods()
        seen = self.manifests.environment(intake)
        self.assertEqual(seen["A"], "$(B) $(NATS_INTAKE_PASSWORD)")
        self.assertEqual(seen["C"], "b 24h")
        # What comes in bulk is there, and a secret unless it is asked for.
        self.assertEqual(self.manifests.environment(broker)["NATS_INTAKE_PASSWORD"], "<secret>")
        revealed = self.manifests.environment(broker, reveal=True)
        self.assertEqual(revealed["NATS_INTAKE_PASSWORD"], "p")

    # --- selectors

    def test_a_selector_that_fits_another_workload_too(self):
        self.intake["spec"]["selector"] = {"matchLabels": APP}
        self.fault("its selector fits the pods of ['intake', 'nats']")

    def test_a_service_without_pods_and_one_with_a_wrong_port(self):
        service = self.manifests.named("Service", "nats")
        service["spec"]["ports"][0]["targetPort"] = "clients"
        self.fault("Service nats: nats has no port clients")
        service["spec"]["selector"] = {"app.kubernetes.io/name": "nuts"}
        self.fault("Service nats: selects the pods of []")

    def test_a_monitor_that_names_its_jobs_otherwise(self):
        labelled = {"matchLabels": {"app.kubernetes.io/name": "nats"}}
        endpoint = {"port": "client", "path": "/metrics", "relabelings": [labels.JOB]}
        spec = {"selector": labelled, "endpoints": [endpoint]}
        self.manifests.objects.append({"kind": "ServiceMonitor", "metadata": {"name": "x"}, "spec": spec})
        self.assertEqual(list(labels.faults(self.manifests)), [])
        del endpoint["relabelings"]
        self.fault("jobs are not named proofline-<service>")

    def test_a_policy_about_a_port_that_is_not_there(self):
        policy_ = self.manifests.named("NetworkPolicy", "intake")
        policy_["spec"]["egress"][1]["ports"] = [{"port": 4223}]
        self.fault("nats has no port 4223")

    def test_selectors_fit_as_in_kubernetes(self):
        one = lambda operator, **more: {"matchExpressions": [{"key": "a", "operator": operator, **more}]}
        for fits, selector, pod_labels in [
            (True, {}, {}),
            (True, {"matchLabels": {"a": "1"}}, {"a": "1", "b": "2"}),
            (False, {"matchLabels": {"a": "1", "b": "1"}}, {"a": "1"}),
            (True, one("In", values=["1", "2"]), {"a": "2"}),
            (False, one("In", values=["1"]), {}),
            (True, one("NotIn", values=["1"]), {}),
            (False, one("Exists"), {"b": "1"}),
            (True, one("DoesNotExist"), {"b": "1"}),
        ]:
            self.assertEqual(selects(selector, pod_labels), fits, (selector, pod_labels))

    # --- ports, probes, stop

    def test_a_probe_of_another_path_or_port(self):
        self.container["livenessProbe"] = {"httpGet": {"path": "/readyz", "port": "admin"}}
        self.fault("livenessProbe: asks admin/readyz, not admin/livez")
        self.container["readinessProbe"] = {"httpGet": {"path": "/readyz", "port": "adm"}}
        self.fault("readinessProbe: there is no port adm")

    def test_a_service_that_listens_where_its_port_is_not(self):
        self.set("PROOFLINE_LISTEN", "127.0.0.1:8081")
        self.fault("PROOFLINE_LISTEN is 127.0.0.1")
        self.fault("PROOFLINE_LISTEN is port 8081")

    def test_a_grace_that_is_too_short_for_the_drain(self):
        self.intake["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = 14
        self.fault("is killed after 14 s")

    # --- NATS

    def test_a_variable_that_the_configuration_needs(self):
        conf = self.manifests.named("ConfigMap", "nats")["data"]
        conf["accounts.conf"] += "{ user: new, password: $NATS_NEW_PASSWORD }"
        self.fault("nats: its configuration needs $NATS_NEW_PASSWORD")

    def test_the_password_of_another_user(self):
        conf = self.manifests.named("ConfigMap", "nats")["data"]
        conf["accounts.conf"] = ACCOUNTS.replace("INTAKE", "UPLOAD")
        self.fault("intake: is given NATS_INTAKE_PASSWORD, and NATS asks intake for NATS_UPLOAD_PASSWORD")

    def test_the_passwords_of_all_users(self):
        passwords = self.manifests.named("Secret", "passwords")["data"]
        passwords["NATS_UPLOAD_PASSWORD"] = "p"
        self.manifests.named("ConfigMap", "nats")["data"]["accounts.conf"] += (
            "{ user: upload, password: $NATS_UPLOAD_PASSWORD }"
        )
        self.assertEqual(faults(self.manifests), [])
        volume = self.intake["spec"]["template"]["spec"]["volumes"][0]
        volume["projected"]["sources"].append({"secret": {"name": "passwords"}})
        self.fault("intake: has passwords of others: ['NATS_UPLOAD_PASSWORD']")

    # --- reachability

    def test_an_address_that_no_policy_lets_through(self):
        self.manifests.objects.remove(self.manifests.named("NetworkPolicy", "nats"))
        self.fault("PROOFLINE_NATS_URL: no network policy lets it to nats on [4222]")

    def test_dns_is_needed_by_whoever_calls(self):
        del self.manifests.named("NetworkPolicy", "intake")["spec"]["egress"][0]
        self.fault("intake: cannot ask DNS")

    def test_an_ingress_to_what_is_not_for_the_internet(self):
        backend = {"service": {"name": "intake", "port": {"name": "http"}}}
        paths = [{"path": "/", "pathType": "Prefix", "backend": backend}]
        self.manifests.objects.append(
            {
                "kind": "Ingress",
                "metadata": {"name": "intake"},
                "spec": {"rules": [{"host": "intake.example.com", "http": {"paths": paths}}]},
            }
        )
        self.fault("intake is not for the internet")

    def test_the_table_has_every_way_and_no_other(self):
        self.assertEqual(
            reachability.table(self.manifests),
            "intake  ->  nats      4222 client\nintake  ->  kube-dns  53, 53 UDP\n",
        )

    def test_without_a_policy_every_port_is_open(self):
        self.manifests.objects = [o for o in self.manifests.objects if o["kind"] != "NetworkPolicy"]
        self.assertIn("any other pod                ->  nats ", reachability.table(self.manifests))
        self.assertIn("EVERY PORT", reachability.table(self.manifests))

    def test_a_block_of_addresses_lets_out_to_the_internet_alone(self):
        block = {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8", "169.254.0.0/16"]}
        self.manifests.objects.append(
            policy(
                "assure",
                {"matchLabels": INTAKE},
                egress=[{"to": [{"ipBlock": block}], "ports": [{"port": 443}]}],
            )
        )
        table = reachability.table(self.manifests)
        self.assertIn("intake  ->  the internet  443", table)
        self.assertNotIn("metadata", table)
        self.assertNotIn("private", table)

    def test_names_in_the_cluster_are_told_from_those_of_the_internet(self):
        for host, expected in [
            ("nats", ("nats", "here")),
            ("nats-0.nats.proofline.svc", ("nats", "proofline")),
            ("intake.proofline.svc.cluster.local", ("intake", "proofline")),
            ("api.signicat.com", ("api.signicat.com", None)),
        ]:
            self.assertEqual(reachability.split_host(host, "here"), expected)


if __name__ == "__main__":
    unittest.main()
