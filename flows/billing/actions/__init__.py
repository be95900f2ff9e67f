"""Actions of the billing skill: `bills` looks, `payments` changes something. The action host loads both."""
