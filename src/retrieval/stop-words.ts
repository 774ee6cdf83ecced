/**
 * Words that carry grammar, not a subject, per language: a question that shares only these with a text has nothing in
 * common with it. They still count a little in ranking. Languages without a list rely on document frequencies.
 */
const LISTS: Record<string, string> = {
  en: `a about after again all also am an and any are as at be because been before being between both but by can
    could did do does doing done down during each else every few for from further get got had has have having he hello
    her here hers hi him his how i if in into is it its just let may me might more most much must my no nor not of off
    on once only or other our out over own please same shall she should so some such tell than thank thanks that the
    their them then there these they this those through to too under until up upon us very was we were what when where
    which while who whom whose why will with would you your yours s t ll re ve d m don doesn didn isn aren wasn won`,
  de: `aber alle allem allen aller alles als also am an andere anderen auch auf aus bei beim bin bis bist bitte da damit
    danach dann das dass dein deine dem den denn der des dich die dies diese diesem diesen dieser dieses dir doch dort
    du durch ein eine einem einen einer eines er es etwas euch euer für gegen gibt hab habe haben hallo hat hatte hier
    hin ich ihm ihn ihnen ihr ihre ihrem ihren ihrer im in ins ist ja jede jedem jeden jeder jedes jener kann kannst
    kein keine keinen können könnte könnten man mein meine meinem meinen meiner mich mir mit muss müssen nach nicht
    noch nun nur ob oder ohne sehr sein seine seinem seinen seiner sich sie sind so soll sollte sondern über um und uns
    unser unsere unter viel vom von vor wann war waren warum was weil welche welchem welchen welcher welches wem wen
    wenn wer werde werden wessen wie wieder will wir wird wo woher wohin wurde wurden würde zu zum zur zwischen`,
  es: `a al algo alguna algunas alguno algunos ante antes así aún bien cada como cómo con contra cual cuál cuáles cuales
    cualquier cuando cuándo cuánto cuántos cuánta cuántas de del desde donde dónde dos durante e el él ella ellas ellos
    en entre era eran es esa esas ese eso esos esta está están estar estas este esto estos estoy fue fueron ha hace
    hacer hacia han has hasta hay he hola la las le les lo los más me mi mis mientras muy nada ni no nos nosotros o
    otra otras otro otros para pero poco por porque puede pueden puedo que qué quien quién quiénes quiero se sea según
    ser si sí sido sin sobre son soy su sus también tan tanto te tener tengo ti tiene tienen toda todas todo todos tu
    tus un una unas uno unos usted ustedes va vosotros y ya yo`,
  fr: `à afin ai ainsi alors après as assez au aucun aucune aussi autre autres aux avant avec avez avoir avons bonjour
    car ce ceci cela celle celles celui ces cet cette ceux chaque chez ci comme comment d dans de des depuis dès dois
    doit donc dont du elle elles en encore entre es est et étaient était être eu eux fait fois font ici il ils j je l
    la là le les leur leurs lors lui m ma mais me même mes moi moins mon n ne ni nos notre nous on ont ou où par parce
    pas pendant peu peut peuvent peux plus pour pourquoi pouvez puis qu quand que quel quelle quelles quels qui quoi s
    sa sans se sera ses si sien soit son sont sous sur t ta te tes toi ton tous tout toute toutes très tu un une vers
    vos votre vous y`,
  it: `a ad agli ai al alla alle allo anche ancora avere c che chi ci ciao ciò come con cosa così cui d da dai dal dalla
    dalle dallo degli dei del della delle dello di dopo dove e ed è era essere fa fare fra gli ha hai hanno ho i il in
    io l la le lei li lo loro lui ma me mi mia mie mio miei molto ne negli nei nel nella nelle nello no noi non nostro
    nostra o ogni oppure per perché però più poi posso può qual quale quali quando quanto quanta quanti quella quelle
    quelli quello questa queste questi questo qui se sei sempre senza si sia siamo sono sta su sua sue sugli sui sul
    sulla suo suoi te ti tra tu tua tuo tutti tutto un una uno vi voi vorrei`,
  pt: `a à às ao aos aquela aquele aquilo as até com como da das de dela dele depois do dos e é ela elas ele eles em
    entre era essa esse esta está estão este eu foi foram há isso isto já lhe mais mas me mesmo meu minha muito na não
    nas nem no nos nós nossa nosso num numa o olá onde os ou para pela pelas pelo pelos pode podem por porque posso qual
    quais quando quanto quantos que quem quero são se sem ser seu seus só sobre sua suas também te tem têm tenho ter teu
    tu tua um uma você vocês`,
  nl: `aan al alle als altijd andere ben bij dan dat de der deze die dit doch doen door dus een en er ge geen had hallo
    heb hebben heeft hem het hier hij hoe hoeveel hun ik in is ja je jij jullie kan kunnen kunt maar me meer men met mij
    mijn moet na naar niet niets nog nu of om omdat ons onze ook op over reeds te toen toch tot u uit uw van veel voor
    waar waarom wanneer want waren was wat we welk welke werd wezen wie wij wil worden wordt zal ze zei zich zij zijn zo
    zonder zou`,
  sv: `alla allt alltså att av blev bli blir både då de dem den denna deras dess det detta dig din dina dit du där en
    ett eller er för från ha hade han hans har hej henne hennes hon honom hur i icke inte ja jag kan kunna man med mellan
    men mig min mina mitt mot mycket ni nu när någon något några och om oss på samma sedan ska skulle som så till under
    upp ut utan vad var vara varför varit varje vem vi vid vilka vilken vilket än är åt över`,
  da: `ad af aldrig alle alt anden at da de dem den denne der deres det dette dig din disse dog du efter eller en er et
    for fordi fra ham han hans har havde hej hende hendes her hos hun hvad hvem hver hvilken hvilket hvis hvor hvordan
    hvorfor hvornår i ikke ind jeg jer jo kan kunne man med meget men mig min mine mit mod når ned nej noget nogle nu og
    også om op os over på sådan selv sig sin sine sit skal skulle som til ud under var ved vi vil ville vor være været`,
  no: `alle at av både da de deg dem den denne der dere deres det dette din disse du eller en er et etter for fordi fra
    før ha hadde han har hei henne her hun hva hvem hver hvilken hvis hvor hvordan hvorfor i ikke inn ja jeg kan kunne
    man med meg men mer mot når nei noe noen nå og også om opp oss over på samme seg selv si sin sitt skal skulle slik
    som så til ut var ved vi vil ville være vært`,
  pl: `a aby albo ale ani bardzo bez będzie bo by być był była było były ci co czy dla do dzień gdy gdzie go i ich ile im
    innych ja jak jaka jaki jakie jako jego jej jest jeszcze jeśli już kiedy kto która które którego której który których
    lub ma mam mi między może można mnie mój my na nad nam nas nie nich nim niż o od ona one oni ono oraz po pod ponieważ
    proszę przed przez przy są się ta tak także tam te tego tej ten to tu tych tylko tym u w we wszystko z za ze że`,
  ru: `а без более бы был была были было быть в вам вас весь во вот все всего вы где да для до его ее ей ему если есть
    ещё еще же за здравствуйте и из или им их к как какая какие какой когда кто ли либо мне может можно мой мы на над
    надо нам нас не него нее нет ни них но ну о об однако он она они оно от очень по под пожалуйста при про с со сколько
    так также такой там то того тоже той только том ты у уже хотя чего чей чем что чтобы это этого этой этом этот я`,
  tr: `acaba ama ancak bana bazı belki ben beni benim bir biri biz bize bu bunu bunun çok çünkü da daha de defa değil diye
    en gibi hangi hem hep hepsi her hiç için ile ise kaç kez ki kim mı mi mu mü nasıl ne neden nerede ne niçin niye o
    olan olarak oldu olur on ona onlar onu onun sana sen siz şey şu tüm var ve veya ya yani`,
};

const sets = new Map<string, Set<string>>();

/** Whether a lower-case word carries only grammar in `language` (ISO 639-1). */
export function isStopWord(word: string, language: string | null): boolean {
  if (language === null) return false;
  let set = sets.get(language);
  if (set === undefined) {
    set = new Set((LISTS[language === "nb" ? "no" : language] ?? "").split(/\s+/));
    sets.set(language, set);
  }
  return set.has(word);
}
