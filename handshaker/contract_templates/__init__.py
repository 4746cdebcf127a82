"""The templates that come with the Handshaker: data, one YAML document a file. See ``docs/templates.md``."""
