import type { Texts } from "./en.ts";

export const fr: Texts = {
  title: "Connecter WhatsApp",
  titleAgain: "Reconnecter WhatsApp",
  intro: "Votre assistant répondra aux personnes qui écrivent à votre numéro WhatsApp professionnel.",
  account: "Compte",
  workspace: "Assistant",
  number: "Numéro",
  grantsTitle: "Ce que vous autorisez",
  grantMessages: "Recevoir les messages envoyés à ce numéro et y répondre",
  grantManage: "Enregistrer le numéro chez Meta et maintenir la connexion",
  grantStatus: "Voir le nom, la qualité et l’état du numéro",
  grantCoexistence: "Remarquer quand vous répondez vous-même dans l’app WhatsApp Business, et s’effacer",
  grantNothingElse: "Aucun accès aux discussions privées, mots de passe ou données de paiement",
  needs:
    "Préparez votre accès Facebook et un numéro de téléphone pouvant recevoir un SMS ou un appel. Comptez environ cinq minutes.",
  needsCoexistence:
    "Préparez votre accès Facebook et le téléphone avec l’app WhatsApp Business. Comptez environ cinq minutes.",
  start: "Continuer avec Meta",
  onlyIfYours: "Ne continuez que si vous êtes venu ici de vous-même depuis {account}.",
  validUntil: "Ce lien est valable jusqu’à {time}. Vous pouvez vous déconnecter à tout moment.",
  noScript: "Cette page a besoin de JavaScript. Autorisez-le dans votre navigateur, puis rechargez la page.",

  signupTitle: "Continuez dans la fenêtre de Meta",
  signupText: "Suivez-y les étapes. Cette page avance d’elle-même dès que vous avez terminé.",
  signupSilent: "La fenêtre a disparu ou rien ne se passe ? Recommencez, ou utilisez un nouvel onglet.",
  startAgain: "Recommencer",
  newTab: "Ouvrir dans un nouvel onglet",
  elsewhereTitle: "Continuez dans le nouvel onglet",
  elsewhereText: "Laissez cette page ouverte : elle affichera le résultat dès que vous aurez terminé.",

  workingTitle: "Connexion de votre numéro",
  workingText: "Cela prend quelques secondes. Veuillez laisser cette page ouverte.",
  stepSignup: "Identifié auprès de Meta",
  stepSetup: "Vérification des accès et configuration du numéro",
  stepReady: "Prêt à répondre",

  chooseTitle: "À quel numéro l’assistant doit-il répondre ?",
  chooseText: "Votre compte WhatsApp a plusieurs numéros.",
  chooseAction: "Utiliser ce numéro",
  pinTitle: "Saisissez le code PIN du numéro",
  pinText:
    "Ce numéro est protégé par la vérification en deux étapes. Saisissez son code PIN à six chiffres ; il peut être changé dans WhatsApp Manager.",
  pinLabel: "Code PIN à six chiffres",
  pinWrong:
    "Ce code PIN est incorrect. Après plusieurs erreurs, Meta bloque le numéro pendant un certain temps.",
  pinAction: "Continuer",
  sixDigits: "Saisissez exactement six chiffres.",
  verifyTitle: "Confirmez votre numéro",
  verifyText: "Meta envoie un code à six chiffres au {number}. Comment voulez-vous le recevoir ?",
  verifySms: "SMS",
  verifyVoice: "Appel",
  verifySent: "Le code est en route. Saisissez-le ici :",
  verifyLabel: "Code à six chiffres",
  verifyAction: "Confirmer",
  verifyWrong: "Ce code n’a pas été accepté. Vérifiez-le, ou faites-en envoyer un autre.",

  waitingTitle: "Meta vérifie votre nom d’affichage",
  waitingText:
    "De votre côté, tout est fait. Meta décide en général en un jour ; le numéro s’active ensuite de lui-même. Vous pouvez fermer cette page.",
  waitingOtherTitle: "Meta demande de patienter",
  waitingOtherText:
    "Meta a besoin d’un peu de temps avant l’étape suivante. Cette page réessaie d’elle-même ; vous pouvez aussi revenir plus tard.",
  checkAgain: "Vérifier à nouveau",

  connectedTitle: "WhatsApp est connecté",
  connectedText: "L’assistant répond désormais aux messages envoyés au {number}.",
  connectedPlain: "L’assistant répond désormais aux messages envoyés à votre numéro.",
  connectedPayment:
    "Ajoutez un moyen de paiement dans WhatsApp Manager pour que Meta remette toutes les réponses.",
  connectedClose: "Vous pouvez fermer cette page.",

  problemTitle: "Cela n’a pas fonctionné",
  tryAgain: "Réessayer",
  reference: "Référence pour l’assistance : {reference}",
  cancelled: "Vous avez fermé la fenêtre de Meta avant la fin. Rien n’a été modifié.",
  popupDead:
    "Votre navigateur, ou le site qui entoure cette page, empêche la fenêtre de Meta de communiquer avec nous. Un nouvel onglet fonctionne.",
  sdkMissing:
    "L’inscription de Meta n’a pas pu être chargée, peut-être à cause d’un bloqueur de publicité. Un nouvel onglet fonctionne.",
  noCode: "Meta a terminé, mais ne nous a pas communiqué le résultat. Continuez dans un nouvel onglet.",
  metaReported: "Meta a signalé un problème pendant l’inscription.",
  offline: "Nous sommes injoignables. Vérifiez votre connexion et réessayez.",
  unexpected: "Un imprévu s’est produit. Veuillez réessayer.",
  newCode:
    "La confirmation de Meta n’était valable qu’une demi-minute et a expiré. Veuillez refaire l’inscription.",
  numberMissing: "Votre compte WhatsApp n’a pas encore de numéro. Refaites l’inscription et ajoutez-en un.",
  numberInUse:
    "Ce numéro est déjà connecté ailleurs. Déconnectez-le d’abord là-bas, ou choisissez-en un autre.",
  alreadyConnected: "Cet assistant a déjà un numéro WhatsApp. Déconnectez d’abord celui-ci.",
  wrongNumber: "Un autre numéro était attendu : {number}. Refaites l’inscription et choisissez celui-ci.",
  noAccess:
    "Meta n’a pas donné accès à ce compte. Refaites l’inscription et autorisez tout ce qui est demandé.",
  notEligible: "Meta ne permet pas de connecter ici ce numéro ou ce compte.",
  blocked:
    "Meta ne permet pas à ce compte d’envoyer des messages pour le moment. WhatsApp Manager indique pourquoi.",
  locked: "Meta a bloqué l’enregistrement de ce numéro jusqu’à trois jours, car il a été tenté trop souvent.",
  metaDown: "Meta ne répond pas correctement en ce moment. Veuillez réessayer dans une minute.",
  busy: "La connexion est déjà en cours, peut-être dans un autre onglet. Un instant, s’il vous plaît.",
  noStorage:
    "Votre navigateur ne laisse cette page rien retenir sur le chemin vers Meta. Autorisez les données de sites, puis réessayez.",
  foreignReturn:
    "Cette inscription n’a pas commencé dans cet onglet. Retournez à votre point de départ et réessayez.",

  usedTitle: "Ce lien a déjà été utilisé",
  usedText:
    "Chaque lien connecte un numéro. Pour un autre, demandez un nouveau lien là où vous avez trouvé celui-ci.",
  expiredTitle: "Ce lien a expiré",
  expiredText: "Pour votre sécurité, les liens durent peu. Revenez en arrière et rouvrez la connexion.",
  revokedTitle: "Ce lien n’est plus valable",
  revokedText: "Il a été remplacé par un plus récent, ou retiré. Revenez en arrière et rouvrez la connexion.",
  unknownTitle: "Ce lien ne mène nulle part",
  unknownText: "Une partie s’est peut-être perdue. Revenez en arrière et rouvrez la connexion.",
  misplacedTitle: "Ouvrez cette page à sa place",
  misplacedText:
    "Pour votre sécurité, cette page ne fonctionne que dans le site pour lequel elle a été faite.",
  unavailableTitle: "WhatsApp n’est pas disponible ici",
  unavailableText: "La personne qui gère ce service n’a pas encore configuré WhatsApp.",
};
