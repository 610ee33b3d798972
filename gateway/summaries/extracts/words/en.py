"""The words of English."""

from gateway.summaries.extracts.lexicon import Lexicon

WORDS = Lexicon(
    stops=(
        "a an the and or but nor so yet of to in on at by for from with without about into onto over under between"
        " among through during before after above below up down out off as than that this these those it its it's he"
        " him his she her hers they them their theirs we us our ours you your yours i me my mine is are was were be"
        " been being am do does did doing done have has had having can could will would shall should may might must"
        " not no don't doesn't isn't aren't can't won't if then else when while where which who whom whose what why"
        " how because since although though unless until whether there here all any both each few more most other"
        " some such only own same too very just also even still again once let lets let's i'm i'll i've we're we'll"
        " we've you're that's there's what's they're he's she's via per vs versus like using maybe perhaps"
    ),
    fillers=(
        "let(?: me|'s| us)(?: \\w+){1,6}(?=:)|another (?:point|thought|angle)(?=[:,])|wait(?: a (?:minute|second"
        "|moment|sec))?|hold on|hmm+|hm|okay|ok|oh(?: wait| no| right)?|ah|aha|alright"
        "|all right|so(?! (?:far|few|little|long|many|much|that))|now(?! that)|then|but|and|or|also"
        "|yeah|yep|actually|alternatively"
        "|however|therefore|thus|hence|first of all|firstly|secondly|thirdly|finally|lastly|additionally"
        "|moreover|furthermore|similarly|likewise|indeed|anyway|interestingly"
        "|got it|of course|basically|essentially|in other words|on the other hand|in fact|in short|in summary"
        "|to summari[sz]e|overall|in conclusion|that is(?=,)|i mean|you know|let me see|let's see|let me think"
        "|let's think|wait,? no|putting it all together|as (?:such|a result)|consequently|meanwhile"
        "|besides|note(?: that)?|we (?:(?:also|already|now) )?(?:know|see|note)(?: that)?"
        "|i think(?: that)?|i believe(?: that)?|i see(?: that)?"
        "|clearly|obviously|for (?:now|starters)"
        "|to start(?: with)?|at this point|importantly"
    ),
    pauses=(
        "right|well|yes|no|nope|first|second|third|next|interesting|great|good|perfect|sure|still|plus|again|step \\d+"
    ),
    talk=(
        "let me|let's|let us|i need to think|i (?:need|have|want) to|i should|i'll|i will|i'm (?:not sure|going"
        "|trying|thinking|confused|wondering|stuck|asked)|i (?:wonder|recall|remember|can't recall|guess|feel|am"
        "|think|might|could|can)|we need to|we (?:should|have to|must|can|could|might)|is (?:that|this|it) (?:right"
        "|correct|true)|does that|does this make|that's (?:it|right|not)|this is (?:getting|tricky|confusing"
        "|interesting|a (?:bit|tricky|tough|hard))|what (?:if|about|else)|how (?:about|else)|maybe|perhaps|wait|hmm"
        "|okay|ok|hold on|but wait|sounds good|looks good|here goes|hope|not sure|same (?:thing|as)"
        "|that makes sense|makes sense|the user|user|we are asked|we're asked|it seems|it looks like"
        "|(?:ready|done|go|yes|no|right|good|great|proceed|output)(?=[\\s.!]*$|\\s*[,:;—–])"
        "|writ(?:e|ing) (?:it|this|the answer)"
    ),
    intents=(
        "(?:so |now |then |first,? |next,? |and )*(?:(?:i|we|you)(?: now| also| still| just| really| first)*(?:'ll"
        "| will| would)?(?: now| also| first)* (?:need|have|want|ought|am going|are going|try|am trying|are trying"
        "|would like|plan)(?: now| first)? to|(?:i|we)(?: should| must| can| could|'ll| will| might| may)(?: now"
        "| also| first| just| then| probably| still)*|(?:let me|let's|let us)(?: now| also| first| just| then"
        "| try to| quickly| carefully| start by| begin by| go ahead and)*|(?:the )?(?:goal|task|aim|idea|plan"
        "|next step|first step|challenge|challenge here|key|question|problem) (?:here )?is(?: asking(?: me"
        "| us)?)? to|(?:the )?(?:user|question|problem|prompt|puzzle)(?: now| here)?(?: wants?| asks?| is asking"
        "| needs?| wanted| asked)(?: me| us| for me| for us)? to|i'm (?:now |currently )?(?:asked|going|trying) to"
        "|we are (?:now )?(?:asked|trying|going) to)"
    ),
    found=(
        "therefore|thus|hence|so the|the answer|answer is|final answer|conclude[sd]?|conclusion|means|must be"
        "|must have|cannot|can't|impossible|it follows|implies|shows that|turns out|found|correct|incorrect|wrong"
        "|rules? out|ruled out|only option|only way|decide[sd]?|best (?:option|choice|approach)|equals|is equal to"
        "|results? in|gives|leads to|because|proves?|solution|total|the key|fails?|works|valid|invalid|consistent"
        "|contradict\\w*|recommend\\w*|rating|should be"
    ),
    hedges=(
        "maybe|perhaps|might|could|(?-i:may)|possibl[ye]|probabl[ye]|seem\\w*|appears?|likely|suppos\\w*|guess|what if"
    ),
    doubts="not sure|unsure|wonder|wait|hmm|i think|confus\\w*|unclear|unless i|hold on|let me|let's|if i",
    condition=r"(?:(?:and|so|but|now|then|also)\W+)?(?:if|unless)\b",
    subordinate=(
        "if|when|while|since|because|although|though|unless|until|whether|as|for|to|with|without|in|on|at|by|from"
        "|after|before|given|assuming|and|or|but|nor|so|that|which|who|whom|whose|where|what|how|why|than|like|such"
        "|even|not|only|using|based|according|due|instead|rather|except|whereas|whenever|wherever|it|its|it's|this"
        "|that's|that|these|those|they|they're|he|she|there's|here's|i|i'm|i've|i'll|i'd|you|your|my|we're|we've"
        "|some|another|other|others|both|each|either|neither|because|considering|suppose|supposing|let|say|etc|e\\.g"
        "|i\\.e|more|most|less|also|same"
    ),
    verbs=(
        "is|are|was|were|isn't|aren't|wasn't|weren't|has|have|had|hasn't|can|can't|cannot|could|couldn't|will|won't"
        "|would|wouldn't|must|should|shouldn't|does|doesn't|do|don't|did|didn't|means|gives|needs|takes|equals"
        "|becomes|remains|requires|requests|wants|includes|contains|burns?|works|fails|returns|uses|makes|shows"
        "|implies|applies|depends|leads|results|matches|exists|follows|holds|lies|costs|weighs?|asks|may|might"
        "|sounds|looks|stays|starts|ends|begins|moves|travels|meets?|opens?|contains?|says|states|describes|suggests"
        "|indicates|helps|provides|involves|appears|seems|goes|comes|gets|keeps|lights?|leaves|got|took|went|came"
        "|said|made"
    ),
    cut=(
        "because|since|so|which|who|where|when|while|if|but|and then|although|though|unless|until|using|given|based"
        "|whereas|rather|before|after|as|considering|assuming|without|instead|that|whether|and|or|for|with|by|from"
        "|on|in|at"
    ),
)
