"""The Blockchain Handshaker: a carrier of signed statements between hospital applications and an Ethereum chain.

``messages`` names what flows, ``ports`` what the outside must offer, ``bootstrap`` puts a working Handshaker
together. The library knows no web framework.
"""
