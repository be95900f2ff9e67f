"""Small projects the engine tests talk to, in the documented format."""

TRANSFER = """
flows:
  transfer_money:
    description: send money to somebody
    name: transfer money
    steps:
      - collect: recipient
      - id: ask_amount
        collect: amount
        rejections:
          - if: slots.amount <= 0
            utter: utter_not_positive
      - action: check_funds
        next:
          - if: not slots.has_funds
            then:
              - action: utter_insufficient
              - set_slots:
                  - amount: null
                  - has_funds: null
                next: ask_amount
          - else: confirm
      - id: confirm
        collect: confirm
        ask_before_filling: true
        next:
          - if: not slots.confirm
            then:
              - action: utter_transfer_cancelled
                next: END
          - else: execute
      - id: execute
        action: execute_transfer
      - action: utter_transfer_complete
  balance:
    description: show the balance
    name: show the balance
    steps:
      - action: utter_balance
  add_contact:
    description: add somebody to the contacts
    name: add a contact
    steps:
      - collect: contact_name
      - collect: contact_handle
      - action: utter_contact_added
  survey:
    description: a survey that is quiet when it ends
    run_pattern_completed: false
    persisted_slots: [mood]
    steps:
      - collect: mood
      - collect: reason
      - action: utter_thanks
  guarded:
    description: only for members
    if: slots.member
    steps:
      - action: utter_member
  hidden:
    description: reached by link only
    if: False
    steps:
      - action: utter_hidden
  opener:
    description: opens the hidden one
    steps:
      - collect: mood
      - link: hidden
  call_out:
    description: talk to a person
    steps:
      - link: pattern_human_handoff

slots:
  recipient: {type: text}
  amount: {type: float}
  has_funds: {type: bool}
  confirm: {type: bool}
  contact_name: {type: text}
  contact_handle: {type: text}
  mood: {type: categorical, values: [good, bad]}
  reason: {type: text}
  member: {type: bool, mappings: [{type: controlled}]}

responses:
  utter_ask_recipient: [{text: "Who to?"}]
  utter_ask_amount: [{text: "How much?"}]
  utter_ask_confirm: [{text: "Send {amount} to {recipient}?"}]
  utter_not_positive: [{text: "More than nothing, please."}]
  utter_insufficient: [{text: "Not enough."}]
  utter_transfer_cancelled: [{text: "Not sent."}]
  utter_transfer_complete: [{text: "Sent {amount} to {recipient}."}]
  utter_balance: [{text: "100"}]
  utter_ask_contact_name: [{text: "Name?"}]
  utter_ask_contact_handle: [{text: "Handle?"}]
  utter_contact_added: [{text: "Added {contact_name}."}]
  utter_ask_mood: [{text: "Mood?"}]
  utter_ask_reason: [{text: "Why?"}]
  utter_thanks: [{text: "Thanks."}]
  utter_member: [{text: "Hello member."}]
  utter_hidden: [{text: "Psst."}]
actions: [check_funds, execute_transfer]
"""

CALLS = """
flows:
  order:
    description: order something
    name: order
    steps:
      - collect: item
      - id: where
        call: address
      - collect: agree
        ask_before_filling: true
        next:
          - if: slots.agree
            then: done
          - else: END
      - id: done
        action: utter_ordered
  address:
    description: take an address
    if: False
    steps:
      - collect: street
      - collect: city
  balance:
    description: show the balance
    steps:
      - action: utter_balance
slots:
  item: {type: text}
  street: {type: text}
  city: {type: text}
  agree: {type: bool}
responses:
  utter_ask_item: [{text: "What?"}]
  utter_ask_street: [{text: "Street?"}]
  utter_ask_city: [{text: "City?"}]
  utter_ask_agree: [{text: "{item} to {street}, {city}?"}]
  utter_ordered: [{text: "Ordered {item} to {street}, {city}."}]
  utter_balance: [{text: "100"}]
"""

BRANCHES = """
flows:
  verify:
    description: verify an account
    name: verify account
    steps:
      - collect: email
      - collect: in_california
        next:
          - if: slots.in_california
            then:
              - collect: income
                next: confirm
          - else: confirm
      - id: confirm
        collect: confirm
        ask_before_filling: true
      - action: utter_verified
slots:
  email: {type: text}
  in_california: {type: bool}
  income: {type: bool}
  confirm: {type: bool}
responses:
  utter_ask_email: [{text: "Mail?"}]
  utter_ask_in_california: [{text: "California?"}]
  utter_ask_income: [{text: "Income?"}]
  utter_ask_confirm: [{text: "Right?"}]
  utter_verified: [{text: "Verified."}]
"""

CONFIRMED_CORRECTION = """
flows:
  pattern_correction:
    description: asks before correcting
    steps:
      - noop: true
        next:
          - if: context.is_reset_only
            then:
              - action: action_correct_flow_slot
                next: END
          - else:
              - collect: confirm_slot_correction
                next:
                  - if: not slots.confirm_slot_correction
                    then:
                      - action: utter_not_corrected
                        next: END
                  - else:
                      - action: action_correct_flow_slot
                      - action: utter_corrected_previous_input
                        next: END
slots:
  confirm_slot_correction: {type: bool}
responses:
  utter_ask_confirm_slot_correction: [{text: "Shall I change it?"}]
  utter_not_corrected: [{text: "Not changed."}]
"""
