"""Which of the customer's lines is meant: the flow `choose_line`, called by every skill that is about one line.

Other skills may use `values` (what the operator's systems know, as slots hold it) and `lines` (what a line is called).
"""
