"""Function words of languages that put spaces between words: they tell nothing of what a text is about. Data only."""

_WORDS = (
    # English
    "about above after again against all also although another any are because been before being below between "
    "both but can cannot could did does doing done down during each either else even every few for from further "
    "get gets had has have having her here hers him his how however into its itself just let like made make "
    "makes many may might more most much must need needs neither nor not now off once one only onto other our "
    "out over own per rather same shall she should since some still such than that the their them then there "
    "therefore these they this those though through thus too under until upon use used uses using very via was "
    "were what when where whether which while who whom whose why will with within without would yet you your two "
    "three first second and better come comes end ends found gave give gives given got instead keep keeps leave "
    "leaves left less ones or perhaps possible quite really seem seems several show shows shown so stay stays "
    "take takes taken turn turns way ways work works "
    # Words of summaries: they tell of the thinking, not of its matter.
    "asked asks chosen concluded concludes conclusion confirmed confirms considered considers decided decides "
    "describes explained explains finding fits follows included includes involves mentioned mentions needed "
    "noted notes provided provides remain remains required requires result results says states stated suggests "
    # German
    "aber alle allem allen aller alles als also andere anderen auch auf aus bei beim bis bleibt damit dann das "
    "dass davon dazu dem den denn der des deren dessen die dies diese diesem diesen dieser dieses doch dort "
    "durch ein eine einem einen einer eines für gegen gibt haben hat hatte hier ich ihm ihn ihr ihre ihrem ihren "
    "ihrer immer ist jede jeder jedes jetzt kann kein keine keinen können man mehr mit muss müssen nach nicht "
    "noch nun nur oder ohne sein seine seinen seiner sich sie sind soll sollen sollte sondern sowie über und uns "
    "unter vom von vor war waren was weil welche welcher wenn werden wie wieder wird wurde wurden zum zur zwei "
    "zwischen "
    # French
    "ainsi alors aucun aucune aussi autre autres aux avant avec avoir car ces cela celle celui ceux cette chaque "
    "comme dans deux des donc dont elle elles entre est être été eux faire fait faut ils les leur leurs mais "
    "même moins non nos notre nous ont par pas peut plus pour puis que quel quelle qui reste sans ses soit son "
    "sont sous sur tous tout toute toutes très une vers votre vous "
    # Spanish, Portuguese, Italian
    "algo ante así aunque cada como con cual cuando del desde donde dos ella ellas ellos entre era esa ese eso "
    "esta está están estas este esto estos fue hasta hay las los más menos mientras muy nada otra otras otro "
    "otros para pero poco por porque pueden puede que qué queda según ser sin sino sobre solo son sus también "
    "tan tanto tiene tienen toda todas todo todos una uno unos unas usa usar ainda aos assim até com das dele "
    "dela dos ela ele eles está foi isso isto mais mas mesmo não nas nem nos numa pela pelo pode quando resta "
    "são sem ser seu seus sua suas também tem têm uma umas anche ancora che chi come con cosa così dal dalla "
    "degli dei del della delle dello deve dove due ecco essere gli hanno invece loro nei nel nella nelle non "
    "ogni per perché più poi può quale quando quella quello quelli questa questo questi resta senza sia sono "
    "stata stato sua sue suo sul sulla tra tutti tutto una uno "
    # Russian, Ukrainian
    "без более бы был была были было вам вас весь все всё всех где для его ему если есть еще ещё здесь или ими "
    "как когда которая которые который кто лишь между меня мне может можно мы над надо нам нас него нет неё них "
    "ничего нужно она они оно остаётся от очень перед под пока после потом потому почему при про раз сам себя "
    "так также там тебя тем теперь тоже только того тот три тут уже хотя чего чем через что чтобы эта эти это "
    "этот этого або але був була були від він вона вони для його якщо який яка які коли між може над тому треба "
    "тільки щоб що "
    # Korean
    "것은 것이 그리고 그래서 그러나 때문에 하지만 있다 없다 한다 된다 이다 "
)
FUNCTION_WORDS = frozenset(_WORDS.split())
