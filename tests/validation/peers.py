"""What pyHanko and signxml need for the same files: run by the bench `validation` in its folder."""

import json
import statistics
import time
from pathlib import Path

from asn1crypto import crl, pem, x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from lxml import etree
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext
from signxml import XMLSigner, XMLVerifier, methods

ROUNDS = 15


def certificate(name: str) -> x509.Certificate:
    octets = Path(name).read_bytes()
    if pem.detect(octets):
        _, _, octets = pem.unarmor(octets)
    return x509.Certificate.load(octets)


def median(runs: int, run) -> float:
    """Milliseconds a run."""
    run()
    rounds = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        for _ in range(runs):
            run()
        rounds.append((time.perf_counter() - begin) * 1000 / runs)
    return statistics.median(rounds)


def judge_pdf() -> None:
    context = ValidationContext(
        trust_roots=[certificate("root.crt")],
        other_certs=[certificate("issuing.crt")],
        crls=[crl.CertificateList.load(Path(f"{name}.crl").read_bytes()) for name in ("root", "issuing")],
        revocation_mode="hard-fail",
        allow_fetching=False,
    )
    with open("small.pdf", "rb") as file:
        status = validate_pdf_signature(PdfFileReader(file).embedded_signatures[0], context)
    assert status.bottom_line, status.pretty_print_details()


key = load_pem_private_key(Path("person.key").read_bytes(), None)
chain = Path("person.crt").read_text() + Path("chain.pem").read_text()
signer = XMLSigner(
    method=methods.enveloped,
    signature_algorithm="rsa-sha256",
    digest_algorithm="sha256",
    c14n_algorithm="http://www.w3.org/2001/10/xml-exc-c14n#",
)
signed = etree.tostring(signer.sign(etree.parse("plain.xml").getroot(), key=key, cert=chain))
Path("signed.xml").write_bytes(signed)
own = Path("person.crt").read_text()


def judge_xml() -> None:
    XMLVerifier().verify(signed, x509_cert=own)


print(json.dumps({"pyhanko_ms": median(5, judge_pdf), "signxml_ms": median(20, judge_xml)}))
