"""English closed lists: short things customers say whose meaning needs no model, by what they mean.

A message counts when it is made of these phrases from end to end ("yeah sure go ahead please"). Spelling is after `text.bare`:
lower case, no punctuation except the apostrophe, which may be missing.
"""

from __future__ import annotations

from collections.abc import Mapping

_LISTS: Mapping[str, str] = {
    "yes": """yes | ye | yee | yas | surely | okok | ok ok | confirm it | confirm that | confirm this | please confirm | kindly confirm | confirm the plan | confirm this plan | confirm my plan | confirm the order | confirm me | that would be fine | that'd be fine | would be great | would be good | that's no problem | continue | please continue | process it | process this | i accept it | let's proceed | yess | yeah | yea | yep | yup | yas | ya | yah | yessir | yes sir | yes ma'am | aye | y | sure | sure thing |
        of course | definitely | absolutely | certainly | that's correct | that is correct | that's right | that is right |
        you're right | exactly | indeed | affirmative | confirmed | i confirm | i'd like that | i'd love that |
        i would like that | i want that | please do | please do that | yes i do | go ahead | go for it | proceed |
        please proceed | let's do it | let's go | let's do that | let us do it | sounds good | sounds great | sounds right |
        sounds fine | looks good | looks right | looks correct | that works | works for me | that'll work | that would be great |
        that'd be great | that would be good | by all means | for sure | agreed | i agree | i accept | i approve | make it so |
        100 | no problem | no worries go ahead | i'm ready | all correct | all good go ahead | i understand | i think so |
        i guess so | i guess | i suppose | i suppose so | probably | that's the one | that one's right | that's it exactly |
        yes it is | roger""",
    "no": """no | nop | nothing | no more | no more help needed | no more help | nothing else needed | no other questions | no more questions | no questions | no further questions | enough | it's enough | it is enough | that's enough | that is enough | i don't believe so | nope | nah | naw | n | nay | noo | no way | not now | not yet | not really | not at all | not at the moment |
        not right now | don't do it | do not do it | don't do that | do not do that | i don't think so | don't think so |
        that's not right | that is not right | that's wrong | that is wrong | that's not correct | that's incorrect | that's all |
        that is all | that's it | that is it | that'll be all | that will be all | that's everything | that is everything |
        nothing else | nothing more | nothing for now | i'm good | i am good | im good | we're good | all good | all set |
        i'm all set | i'm done | i am done | all done | i'm fine | i am fine | no not that | i am not | i decline | hell no |
        no sir | no ma'am | absolutely not | definitely not | of course not | hold off | i'm okay | i'm ok""",
    "yes_alone": """i do | i am | it is | it does | it did | we do | i would | i want to | do it | do that | do so | go on | accept | approve | confirm | correct | right | true | ready | why not | happy to""",
    "no_alone": """i don't | i do not | don't | do not | isn't | i'm not | it's not | it is not | it isn't | never | not me | wrong | later | done | negative | false | incorrect | not correct | it doesn't | it does not | it didn't | it did not | still not | decline | reject | i wouldn't""",
    "enough": """leave it | leave it like that | leave it as it is | leave it be | leave that | keep it | keep it as it is | keep it like that | leave things as they are | i'll leave it | i'll keep it | no thanks | no thank you | not interested | i'm not interested | maybe later | some other time | another time | no need | not needed | i'll pass | i'd rather not | rather not | i would rather not | i don't want to | i do not want to | i don't want that | i don't want it | not today""",
    "worked": """it works | it works now | it's working | it is working | it's working now | works now | working now | it's back | it's back now | that worked | that did it | that helped | it helped | it did help | it's fixed | fixed | solved | it's solved |
        problem solved | back to normal | it worked | works again | it works again | all working | everything works | works fine now""",
    "failed": """still nothing | still not working | still doesn't work | still the same | still no luck | still broken | still down | still no signal | no luck | it didn't help | that didn't help | didn't help | didn't work | it didn't work |
        that didn't work | doesn't work | it doesn't work | not working | it's not working | it still doesn't work | it's still not working | it's still the same | same problem | same issue | same thing | the same | nothing changed | no change | no difference | no improvement | no effect | unfortunately not | sadly not | i'm afraid not""",
    "maybe_yes": """ok | oky | okk | it is ok | it is fine | that is okay | that is ok | that's great | that is great | that's good | it looks great | okay | okey | k | kk | okie | okay then | fine | fine by me | that's fine | that is fine | good | great | perfect | awesome | cool | nice | alright | all right |
        very well | that's ok | that's okay | it's ok | it's okay | it's fine | okey dokey""",
    "cancel": """cancel | cancel it | cancel this | cancel that | cancel everything | cancel all | cancel all of it | cancel this request | cancel the request | cancel my request |
        cancel this process | cancel the process | never mind | nevermind | nvm | never mind that | forget it | forget about it | forget that | forget this | drop it | stop | stop it | stop this | stop that | stop here |
        abort | quit | exit | i want to stop | i want to cancel | i want to cancel this | i'd like to cancel | i'd like to cancel this | let's stop | let's stop here | let's cancel | let's not |
        let's forget it | let's forget about it | scrap that | scratch that | i changed my mind | changed my mind | i've changed my mind | i don't want this anymore |
        i don't want to do this | i don't want to do this anymore | i don't want to continue | don't continue | i no longer want this | i no longer want to | call it off |
        i want out | get me out of this | get me out of here | go back | start over | go back to the start | undo that | i quit | not doing this | no longer needed""",
    "repeat": """repeat | repeat that | repeat it | repeat please | repeat the question | repeat the last message | repeat your last message | say again | say that again | say it again | come again | pardon | pardon me | i beg your pardon |
        what | what was that | what did you say | what's that | what was the question | what was that again | huh | eh | once more | one more time | again | tell me again |
        can you repeat | can you repeat that | can you repeat the question | could you repeat | could you repeat that | could you repeat the question | can you say that again |
        could you say that again | can you say it again | i didn't get that | i didn't catch that | i did not catch that | i didn't hear that | i didn't hear you | i missed that |
        sorry what | wait what | show me that again | send that again | resend that""",
    "skip": """skip | skip it | skip this | skip that | skip this one | skip this question | skip this step | skip the question | pass | next | next question | next please | move on | let's move on |
        can i skip this | can i skip this question | can we skip this | can we skip this one | can we skip that | i want to skip | i want to skip this | i'd rather not say | i would rather not say | i'd prefer not to say | prefer not to say |
        i don't want to say | i don't want to answer | i don't want to answer that | i won't answer that | none of your business""",
    "unsure": """i don't know | i do not know | idk | dunno | i dunno | no idea | i have no idea | not sure | i'm not sure | i am not sure | i'm unsure | unsure | no clue | i have no clue | i can't remember |
        i don't remember | i do not remember | i forgot | i don't have it | i don't have that | i don't have one | i haven't got it | how should i know | who knows | hard to say | i can't tell | don't know""",
    "greet": """hi | hii | hai | helo | hallo | gud morning | good mrng | very good morning | happy morning | hi team | hello sir | hello team | hello | hey | hiya | heya | hi there | hello there | hey there | yo | howdy | good morning | good afternoon | good evening | good day | morning | greetings | hello again | hi again |
        anyone there | is anyone there | anybody there | is anybody there | are you there | hello bot | hi bot""",
    "thanks": """thanks | thank | thankyou | thanking you | thanks again | thank you again | thanks a ton | thank you for the help | thank you for the service | thank you for your service | thank you for the information | thanks for the information | thank you for your support | thanks for your support | thank you for your time | thanks for your time | thank you for everything | thanks for everything | thnk u | thnx | thanx | you're welcome | you too | thank you | thx | ty | tysm | thank u | thanks a lot | thanks so much | thank you so much | thank you very much | thanks very much | many thanks | much appreciated | i appreciate it | appreciate it | cheers |
        thanks for your help | thank you for your help | thanks for the help | thanks for helping | you've been helpful | you've been very helpful | that was helpful | that helps | that's helpful | very helpful | great thanks | good job | well done |
        nice work | you're the best | you are the best | lifesaver | love it | brilliant | excellent | wonderful | amazing | got it | understood | i see | makes sense""",
    "bye": """bye | byee | bey | have a wonderful day | have an amazing day | have a great day ahead | have a nice day ahead | have a good day ahead | have a wonderful day ahead | great day | nice day | good day and good bye | catch you later | bye bye | byebye | goodbye | good bye | see you | see ya | see you later | cya | later then | have a nice day | have a good day | have a great day | have a good one | good night | take care | talk to you later | ttyl | that's all bye""",
    "chat": """how are you | how are you doing | how's it going | how is it going | what's up | whats up | sup | how do you do | are you a bot | are you a robot | are you human | are you a human | are you real | are you a real person |
        am i talking to a bot | am i talking to a robot | am i talking to a human | am i talking to a real person | is this a bot | is this a real person | who are you | what are you | what's your name | what is your name | who made you | who built you | do you have a name |
        tell me a joke | tell me something funny | make me laugh | do you like me | i love you | i like you | you're funny | you are funny | you're smart | you're stupid | you are stupid | you're useless | you are useless |
        stupid bot | dumb bot | useless bot | bad bot | good bot | this is useless | you suck | lol | lmao | haha | hahaha | hehe | wow | omg | how old are you | where are you from | what do you think | what time is it | what day is it | nice to meet you |
        wtf | what the hell | screw you | fuck you | fuck off | shit | damn | sing a song | sing me a song | are you alive | do you sleep | what's your favorite color | i'm bored | i'm sad | merry christmas | happy new year | happy birthday""",
    "help": """help | help me | i need help | i need some help | i need assistance | can you help | can you help me | could you help me | please help me | what can you do | what can you do for me | what can you help me with | what can you help with |
        what do you do | what are my options | options | menu | main menu | what can i do here | what can i do | what can i ask | what can i ask you | how does this work | how do i use this | what services do you offer | i have a question | i have a problem | quick question""",
    "wait": """wait | wait a minute | wait a second | wait a sec | wait a moment | hold on | hold on a sec | hang on | one moment | one second | one sec | one minute | just a moment | just a sec | just a second | just a minute | give me a minute | give me a second | give me a sec | brb | let me check | let me see | let me think | hmm let me see""",
    "neither": """neither | neither of them | neither of those | neither one | none | none of them | none of those | none of these | none of the above | not those | something else | something different | other | another thing | neither of these""",
    "both": """both | both of them | both please | all of them | all of those | both of those""",
    "fill": """please | pls | plz | um | umm | uh | uhh | er | erm | hm | hmm | oh | ah | ahh | well | so | just | then | now | actually | really | i said | i think | like | you know | sir | ma'am | madam | dude | man | bro | buddy | mate | dear |
        for me | right now | today | with that | to that | on that | and | but | sorry | my bad | oops | hey | kindly | if you can | if possible | if that's ok | too | also | at all | again please | very much | a lot | so much | go | that | it | this | one more thing | bot | guys | everyone | there | honestly | anyway | let's""",
}  # fmt: skip


def table() -> dict[str, str]:
    """Phrase -> meaning. Phrases with an apostrophe are also known without it."""
    found: dict[str, str] = {}
    for meaning, phrases in reversed(list(_LISTS.items())):
        for written in phrases.split("|"):
            phrase = " ".join(written.split())
            found[phrase] = meaning
            found[phrase.replace("'", "")] = meaning
    found.pop("were good", None)
    found.pop("ill pass", None)
    return found
