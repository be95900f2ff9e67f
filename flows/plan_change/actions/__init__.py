"""The actions of the plan skill: `plans` answer questions, `change` quotes and orders, `orders` look at and undo orders."""
