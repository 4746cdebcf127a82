"""What people who care for a patient may see and do: find, read, ask for consent, sign again.

The layer's rule: whoever is found is a name, shown to staff without consent because nobody could ask for consent
otherwise; whatever is clinical passes the gateway first, which asks the chain each time and remembers nothing. What
cannot be asked, opened or read is left out and said so; it never spoils what is beside it.
"""
